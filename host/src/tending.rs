//! Looking after programs while no client asks for them.

use bulkhead_broker::{Broker, SharedBroker};
use bulkhead_watch::Watch;
use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::time::Instant;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::sleep_until;

/// Wakes when a pipe is ready, a child has ended, or a program's time is up, and only then.
#[derive(Debug)]
pub(crate) struct Tending {
    broker: SharedBroker,
    /// SIGCHLD. It also comes for children that are not in the table; they are left alone.
    ended: Signal,
    ready: Watch,
}

impl Tending {
    /// Begins to listen. Needs tokio's context.
    pub(crate) fn new(broker: &SharedBroker) -> io::Result<Self> {
        let ended = signal(SignalKind::child())?;
        let ready = Watch::new(broker.borrow_mut().children.readiness()?)?;
        Ok(Tending { broker: broker.clone(), ended, ready })
    }

    /// Keeps pipes flowing, leaves no zombies, and ends what has run too long. Never ends.
    pub(crate) async fn run(mut self) -> Infallible {
        let broker = self.broker.clone();
        let (mut busy, mut watching) = (false, true);
        let mut deadline: Option<Instant> = None;
        loop {
            let time_is_up = async {
                match deadline {
                    Some(deadline) => sleep_until(deadline.into()).await,
                    None => std::future::pending().await,
                }
            };
            // The dead first, for there may be no end to what the others print; and then those that have to die.
            tokio::select! {
                biased;
                _ = self.ended.recv() => broker.borrow_mut().reap_children(),
                next = poll_fn(|context| broker.borrow_mut().children.poll_deadline(deadline, context)) => deadline = next,
                () = time_is_up => end_overdue(&mut broker.borrow_mut()),
                () = tokio::task::yield_now(), if busy => busy = broker.borrow_mut().children.pump_ready(),
                changed = self.ready.changed(), if watching && !busy => match changed {
                    Ok(()) => busy = true,
                    Err(error) => {
                        tracing::error!("cannot watch programs, so they wait until a client asks for them: {error}");
                        watching = false;
                    }
                },
            }
        }
    }
}

fn end_overdue(broker: &mut Broker) {
    let Broker { gate, children, .. } = broker;
    children.end_overdue(gate, Instant::now());
}
