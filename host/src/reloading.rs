//! SIGHUP: the policy is read again, and put in force whole or not at all.
//!
//! Nothing that comes from a client leads here. Requests run one at a time, and a signal is heard between two of them: what
//! is under way ends under the policy with which it began.

use crate::host_state::SharedState;
use crate::logging::LogHold;
use crate::owner::{Loaded, PolicyFiles};
use crate::running::{Report, Running};
use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::path::PathBuf;
use std::rc::Rc;
use std::task::Poll;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// What hears the signal, and does what it asks for.
#[derive(Debug)]
pub struct Reloading {
    hang_up: Signal,
    state: SharedState,
    log: LogHold,
    report: Report,
    /// Where the report stands, unless it cannot be written, or not yet.
    running: Rc<RefCell<Option<Running>>>,
}

/// The means to hear SIGHUP. From now on it does not end the process. Needs tokio's context.
pub fn hang_ups() -> io::Result<Signal> {
    signal(SignalKind::hangup())
}

impl Reloading {
    /// For an agent that began with `loaded`, read from `files`. Tells in `statedir` that it runs; while file systems are
    /// frozen, as soon as they are thawed.
    pub fn new(
        hang_up: Signal,
        state: SharedState,
        log: LogHold,
        files: PolicyFiles,
        loaded: &Loaded,
        statedir: PathBuf,
    ) -> Self {
        let report = Report::new(files, loaded);
        let running: Rc<RefCell<Option<Running>>> = Rc::default();
        let begin = {
            let (running, report) = (Rc::clone(&running), report.clone());
            move || match Running::begin(&statedir, &report) {
                Ok(begun) => drop(running.replace(Some(begun))),
                Err(error) => tracing::warn!("the owner's tools will not find this agent: {error}"),
            }
        };
        if state.borrow().is_frozen() {
            state.borrow_mut().once_thawed(begin);
        } else {
            begin();
        }
        Reloading { hang_up, state, log, report, running }
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
        }
    }

    fn reload(&mut self) {
        // Whoever moved these files away sends the same signal.
        if let Err(error) = self.log.reopen() {
            tracing::warn!("cannot open the log file anew, and go on in the old one: {error}");
        }
        let state = self.state.borrow();
        state.audit().reopen();
        self.report.reloads += 1;
        match self.report.files.load() {
            Ok(loaded) => {
                let before = std::mem::replace(&mut self.report.digest, loaded.digest);
                self.report.refused = None;
                let after = &self.report.digest;
                // Also one that says the same: its rules may stand in other lines by now, which the log names.
                state.gate.set_policy(Rc::new(loaded.policy));
                if before == *after {
                    tracing::warn!("the policy was read again and is the same: {after}");
                } else {
                    tracing::warn!("the policy is another one now: {before} -> {after}");
                }
                state.audit().policy_changed(&before, after);
            }
            Err(error) => {
                let why = format!("{:#}", anyhow::Error::new(error));
                tracing::error!("the policy is not replaced, {} stays in force: {why}", self.report.digest);
                self.report.refused = Some(why);
            }
        }
        if let Some(running) = self.running.borrow_mut().as_mut() {
            running.tell(&self.report);
        }
    }
}

/// Waits until no file system is frozen.
async fn thawed(state: &SharedState) {
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
