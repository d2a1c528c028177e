//! Looking after programs while no client asks for them.

use crate::host_state::SharedState;
use bulkhead_sys::Watch;
use std::convert::Infallible;
use std::io;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Wakes when a pipe is ready or a child has ended, and only then.
#[derive(Debug)]
pub struct Tending {
    state: SharedState,
    /// SIGCHLD. It also comes for children that are not in the table; they are left alone.
    ended: Signal,
    ready: Watch,
}

impl Tending {
    /// Begins to listen. Needs tokio's context.
    pub fn new(state: &SharedState) -> io::Result<Self> {
        let ended = signal(SignalKind::child())?;
        let ready = Watch::new(state.borrow_mut().processes.readiness()?)?;
        Ok(Tending { state: state.clone(), ended, ready })
    }

    /// Keeps pipes flowing and leaves no zombies. Never ends.
    pub async fn run(mut self) -> Infallible {
        let mut busy = false;
        loop {
            // The dead first, for there may be no end to what the others print.
            tokio::select! {
                biased;
                _ = self.ended.recv() => self.state.borrow_mut().reap_processes(),
                () = tokio::task::yield_now(), if busy => busy = self.state.borrow_mut().processes.pump_ready(),
                changed = self.ready.changed(), if !busy => match changed {
                    Ok(()) => busy = true,
                    Err(error) => {
                        tracing::error!("cannot watch programs, so they wait until a client asks for them: {error}");
                        return std::future::pending().await;
                    }
                },
            }
        }
    }
}
