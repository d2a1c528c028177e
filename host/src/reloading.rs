//! SIGHUP: the policy is read again, and put in force whole or not at all.
//!
//! Nothing that comes from a client leads here. Requests run one at a time, and a signal is heard between two of them: what
//! is under way ends under the policy with which it began.

use crate::host_state::SharedState;
use crate::lineup::SharedLineup;
use crate::logging::LogHold;
use crate::running::Announced;
use std::cell::Cell;
use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::task::Poll;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// What hears the signal, and does what it asks for.
#[derive(Debug)]
pub struct Reloading {
    hang_up: Signal,
    state: SharedState,
    log: LogHold,
    announced: Announced,
    lineup: SharedLineup,
}

/// The means to hear SIGHUP. From now on it does not end the process. Needs tokio's context.
pub fn hang_ups() -> io::Result<Signal> {
    signal(SignalKind::hangup())
}

impl Reloading {
    /// For an agent that says of itself what is `announced`.
    pub fn new(hang_up: Signal, state: SharedState, log: LogHold, announced: Announced, lineup: SharedLineup) -> Self {
        Reloading { hang_up, state, log, announced, lineup }
    }

    /// Does it for ever.
    pub async fn run(mut self) -> Infallible {
        loop {
            if self.hang_up.recv().await.is_none() {
                // Cannot be: the signal is never given up. To wait is better than to turn in a circle.
                std::future::pending::<()>().await;
            }
            if self.state.borrow().is_frozen() {
                tracing::warn!("asked to read the policy again while file systems are frozen: when they are thawed");
                thawed(&self.state).await;
            }
            self.reload();
            // Also where the policy is the same: whoever sends a signal may have changed the store.
            self.lineup.borrow_mut().read_again();
        }
    }

    fn reload(&mut self) {
        // Whoever moved these files away sends the same signal.
        if let Err(error) = self.log.reopen() {
            tracing::warn!("cannot open the log file anew, and go on in the old one: {error}");
        }
        let state = self.state.borrow();
        state.audit().reopen();
        let (files, before) = {
            let report = self.announced.report();
            (report.files.clone(), report.digest.clone())
        };
        let refused = match files.load() {
            Ok(loaded) => {
                let after = loaded.digest;
                // Also one that says the same: its rules may stand in other lines by now, which the log names.
                state.gate.set_policy(Rc::new(loaded.policy));
                if before == after {
                    tracing::warn!("the policy was read again and is the same: {after}");
                } else {
                    tracing::warn!("the policy is another one now: {before} -> {after}");
                }
                state.audit().policy_changed(&before, &after);
                Ok(after)
            }
            Err(error) => {
                let why = format!("{:#}", anyhow::Error::new(error));
                tracing::error!("the policy is not replaced, {before} stays in force: {why}");
                Err(why)
            }
        };
        self.announced.change(|report| {
            report.reloads += 1;
            match refused {
                Ok(digest) => (report.digest, report.refused) = (digest, None),
                Err(why) => report.refused = Some(why),
            }
        });
    }
}

/// Waits until no file system is frozen.
pub(crate) async fn thawed(state: &SharedState) {
    let is_asked = Rc::new(Cell::new(false));
    poll_fn(|context| {
        let mut state = state.borrow_mut();
        if !state.is_frozen() {
            return Poll::Ready(());
        }
        if !is_asked.replace(true) {
            let (is_asked, waker) = (Rc::clone(&is_asked), context.waker().clone());
            state.once_thawed(move || {
                is_asked.set(false);
                waker.wake();
            });
        }
        Poll::Pending
    })
    .await;
}
