//! SIGHUP: the policy is read again, and put in force whole or not at all. SIGUSR1: the figures are told.
//!
//! Nothing that comes from a client leads here. Requests run one at a time, and a signal is heard between two of them: what
//! is under way ends under the policy with which it began.

use crate::briefly::{now, short};
use crate::installed::lineup::SharedLineup;
use crate::running::{Announced, Told};
use bulkhead_broker::logging::{LogHold, NOTICE};
use bulkhead_broker::{SharedBroker, thawed};
use std::convert::Infallible;
use std::io;
use std::rc::Rc;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;

/// What hears the signal, and does what it asks for.
#[derive(Debug)]
pub struct Reloading {
    hang_up: Signal,
    broker: SharedBroker,
    log: LogHold,
    announced: Announced,
    lineup: SharedLineup,
    questions: Option<Signal>,
    /// Who else is told that the policy was read.
    told: Rc<Notify>,
}

/// What was heard.
enum Heard {
    HangUp,
    Question,
}

/// The means to hear SIGUSR1. From now on it does not end the process. Needs tokio's context.
pub fn questions() -> io::Result<Signal> {
    signal(SignalKind::user_defined1())
}

/// The means to hear SIGHUP. From now on it does not end the process. Needs tokio's context.
pub fn hang_ups() -> io::Result<Signal> {
    signal(SignalKind::hangup())
}

impl Reloading {
    /// For an agent that says of itself what is `announced`.
    pub fn new(
        hang_up: Signal,
        broker: SharedBroker,
        log: LogHold,
        announced: Announced,
        lineup: SharedLineup,
    ) -> Self {
        Reloading { hang_up, broker, log, announced, lineup, questions: None, told: Rc::default() }
    }

    /// From now on who asks for figures is told them.
    pub fn answers(mut self, questions: Signal) -> Self {
        self.questions = Some(questions);
        self
    }

    /// Who is told from now on when the policy was read.
    pub fn tells(mut self, told: Rc<Notify>) -> Self {
        self.told = told;
        self
    }

    /// Does it for ever.
    pub async fn run(mut self) -> Infallible {
        loop {
            if matches!(self.hear().await, Heard::Question) {
                self.tell();
                continue;
            }
            if self.broker.borrow().is_frozen() {
                tracing::warn!("asked to read the policy again while file systems are frozen: when they are thawed");
                thawed(&self.broker).await;
            }
            self.reload();
            self.told.notify_one();
            // Also where the policy is the same: whoever sends a signal may have changed the store.
            self.lineup.borrow_mut().read_again();
        }
    }

    async fn hear(&mut self) -> Heard {
        let question = async {
            match &mut self.questions {
                Some(questions) => questions.recv().await,
                None => None,
            }
        };
        tokio::select! {
            Some(()) = self.hang_up.recv() => Heard::HangUp,
            Some(()) = question => Heard::Question,
            // Cannot be: the signals are never given up. To wait is better than to turn in a circle.
            else => std::future::pending().await,
        }
    }

    /// Tells the figures of this moment; not while file systems are frozen, for they are written to a disk.
    fn tell(&mut self) {
        let broker = self.broker.borrow();
        if broker.is_frozen() {
            return;
        }
        let (counts, audit, log) = (broker.counts.clone(), broker.audit().figures(), self.log.figures());
        let programs = broker.children.figures(&broker.gate);
        self.announced.change(|report| {
            let number = report.told.as_ref().map_or(0, |told| told.number) + 1;
            report.told = Some(Told { number, at: now(), counts, audit, log, programs });
        });
    }

    fn reload(&mut self) {
        // Whoever moved these files away sends the same signal.
        if let Err(error) = self.log.reopen() {
            tracing::warn!("cannot open the log file anew, and go on in the old one: {error}");
        }
        let broker = self.broker.borrow();
        broker.audit().reopen();
        let (files, before) = {
            let report = self.announced.report();
            (report.files.clone(), report.digest.clone())
        };
        let refused = match files.load() {
            Ok(loaded) => {
                let mut in_force = self.announced.report().in_force.clone().unwrap_or_default();
                in_force.take(&loaded);
                let (after, policy) = (loaded.digest, in_force.policy());
                // Also one that says the same: its rules may stand in other lines by now, which the log names.
                broker.gate.set_policy(Rc::new(loaded.policy));
                if before == after {
                    tracing::info!(target: NOTICE, "the policy was read again and has not changed: {policy} ({})", short(&after));
                } else {
                    let (before, after) = (short(&before), short(&after));
                    tracing::info!(target: NOTICE, "the policy was replaced: {policy} ({after}, before {before})");
                }
                broker.audit().policy_changed(&before, &after);
                Ok((after, in_force))
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
                Ok((digest, in_force)) => {
                    (report.digest, report.refused, report.in_force) = (digest, None, Some(in_force));
                }
                Err(why) => report.refused = Some(why),
            }
        });
    }
}
