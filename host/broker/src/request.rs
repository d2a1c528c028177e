//! A request: what follows from the name of a command, and what is to be done, told and kept when it is over.

use super::children::Pieces;
use super::{Broker, Offence};
use crate::acting;
use crate::auditing::{Line, Ran};
use crate::counts::Counts;
use crate::rulings::{Ruling, bounds, denials, is_thaw, leads_out};
use bulkhead_audit::Kind;
use bulkhead_border::request::{self, Begun, End, Ended, Fault, Outcome, Runs};
use bulkhead_catalog::commands::Command;
use bulkhead_gate::{Judgements, Standing};
use bulkhead_policy::Mode;
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime};

/// A request that is open.
#[derive(Debug)]
pub(super) struct Open {
    number: u64,
    /// When it came.
    time: SystemTime,
    /// The name that the client said.
    name: String,
    /// What there is of that name.
    command: Option<Command>,
    ruling: Ruling,
    /// How long ruling took.
    ruled_in: Duration,
    /// Whether it came in the frozen state.
    was_frozen: bool,
    /// How many file systems this agent had frozen then.
    frozen_before: usize,
    /// What the program that it may start will read.
    pub(super) input: Pieces,
}

impl Broker {
    /// A client names a command. If it may run, the gate judges as the ruling says until the request is closed.
    pub(super) fn begin(&mut self, name: &str) -> Result<Begun, Offence> {
        let (time, begin) = (SystemTime::now(), Instant::now());
        if self.open.is_some() {
            return Err(Offence::InTheMiddle);
        }
        Counts::add(&self.counts.requests);
        let command = self.catalog().find(name);
        let (frozen, policy) = (self.is_frozen(), self.gate.policy());
        let ruling = command.map_or(Ruling::unknown(), |command| self.rulings.on_call(&command, frozen, &policy));
        Ok(self.open(name, command, ruling, (time, begin)))
    }

    /// Opens a request of `command` over which nobody rules, so that it runs: for those who try a module.
    pub fn begin_unruled(&mut self, command: Command) -> Begun {
        let ruling = Ruling { mode: Mode::Enforce, by: crate::rulings::By::NoRule };
        self.open(command.name, Some(command), ruling, (SystemTime::now(), Instant::now()))
    }

    fn open(
        &mut self,
        name: &str,
        command: Option<Command>,
        ruling: Ruling,
        (time, begin): (SystemTime, Instant),
    ) -> Begun {
        self.opened += 1;
        let (number, was_frozen) = (self.opened, self.is_frozen());
        let runs = command.filter(|_| ruling.permits());
        if runs.is_some() {
            self.gate.begin(Standing { observe: ruling.mode == Mode::Observe, frozen: was_frozen, exact: false });
        }
        let begun = Begun {
            number,
            tell_arguments: self.audit.is_on() || runs.is_some_and(|command| acting::may_act(&command)),
            ruling: match (command, runs) {
                (_, Some(command)) => request::Ruling::Runs(Runs {
                    module: command.module,
                    success_response: command.success_response,
                    leads_out: was_frozen && leads_out(command.name),
                    bounds: bounds(command.module, &self.gate.policy()),
                }),
                (Some(_), None) => request::Ruling::Refused,
                (None, _) => request::Ruling::Unknown,
            },
        };
        self.open = Some(Open {
            number,
            time,
            name: name.to_owned(),
            command,
            ruling,
            ruled_in: begin.elapsed(),
            was_frozen,
            frozen_before: self.frozen_here.len(),
            input: Pieces::default(),
        });
        begun
    }

    /// The command that runs in the request of this number.
    pub(super) fn running(&self, number: u64) -> Result<Command, Offence> {
        let open = self.open.as_ref().filter(|open| open.number == number).ok_or(Offence::OtherRequest(number))?;
        open.command.filter(|_| open.ruling.permits()).ok_or(Offence::NotRunning)
    }

    /// The request of this number is over.
    pub(super) fn end(&mut self, number: u64, end: &End) -> Result<Ended, Offence> {
        let open = self.open.take_if(|open| open.number == number).ok_or(Offence::OtherRequest(number))?;
        Ok(match open.command.filter(|_| open.ruling.permits()) {
            Some(command) => self.has_run(&open, &command, end),
            None => {
                self.has_not_run(&open, end);
                Ended::default()
            }
        })
    }

    /// A client sent what is not a request.
    pub(super) fn reject(&self, problem: &str) {
        Counts::add(&self.counts.rejected);
        self.audit.rejected(problem);
    }

    fn has_not_run(&self, open: &Open, end: &End) {
        Counts::add(&self.counts.refused);
        if let Some(command) = &open.command {
            acting::tell_refusal(command, &open.ruling);
        }
        self.tell_audit(open, end, Kind::Refused, &Judgements::default(), "CommandNotFound");
    }

    fn has_run(&mut self, open: &Open, command: &Command, end: &End) -> Ended {
        let judgements = self.gate.end();
        denials::tell(command, open.ruling.mode, &judgements);
        if end.outcome == Outcome::Failed(Fault::NotLoadable) {
            self.rulings.set_broken(command.module);
        }
        if end.outcome != Outcome::Return && !open.was_frozen && self.is_frozen() {
            self.abandon_freeze(command.module);
        }
        // Whatever its module says, a thaw ends the frozen state.
        let is_left = open.frozen_before > 0 && is_thaw(command.name) && self.is_frozen();
        let ended = Ended { thawed: is_left.then(|| self.thaw(command, open.frozen_before)).flatten() };
        let outcome = word(&end.outcome);
        self.count(&judgements, outcome);
        let kind = acting::kind(command, &open.ruling, &judgements, outcome);
        acting::tell(command, &open.ruling, &judgements, kind, &end.arguments, outcome);
        self.tell_audit(open, end, kind, &judgements, outcome);
        ended
    }

    /// Thaws what this agent froze, without the module that could not; how many, if all `frozen` of them are thawed now.
    fn thaw(&mut self, command: &Command, frozen: usize) -> Option<usize> {
        tracing::error!("{}: the host itself thaws what was frozen", command.name);
        (self.abandon_freeze(command.module) == 0).then_some(frozen)
    }

    fn count(&self, judgements: &Judgements, outcome: &str) {
        if denials::denied(judgements).next().is_some() {
            Counts::add(&self.counts.denied);
        }
        if outcome == "failed" {
            Counts::add(&self.counts.failed);
        }
    }

    fn tell_audit(&self, open: &Open, end: &End, kind: Kind, judgements: &Judgements, outcome: &'static str) {
        if !self.audit.is_on() {
            return;
        }
        let runs = open.command.as_ref().filter(|_| open.ruling.permits());
        let ran = end.timing.zip(runs).map(|(timing, command)| Ran {
            module: command.module,
            digest: self.serving.get(command.module).map(|serving| Rc::clone(&serving.digest)),
            timing,
        });
        self.audit.answered(&Line {
            time: open.time,
            command: &open.name,
            kind,
            installed: open.command.as_ref().and_then(|command| command.installed),
            told: end,
            ruling: &open.ruling,
            judgements,
            ran,
            ruled_in: open.ruled_in,
            outcome,
        });
    }
}

/// `ok`, the class of the error, or `failed`.
fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Return => "ok",
        Outcome::GenericError => "GenericError",
        Outcome::CommandNotFound => "CommandNotFound",
        Outcome::Failed(_) => "failed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{begin, broker, end};
    use bulkhead_border::request::Message;
    use bulkhead_border::{Call, freezer};

    /// Whether file systems are frozen after a freeze with this outcome.
    fn is_frozen_after(outcome: Outcome) -> bool {
        let mut broker = broker("full");
        let number = begin(&mut broker, "guest-fsfreeze-freeze").number;
        broker.serve(Message::Call(number, Call::Freezer(freezer::Call::begin {}))).unwrap();
        assert!(broker.is_frozen());
        end(&mut broker, number, outcome);
        broker.is_frozen()
    }

    /// A client that got an error believes that nothing is frozen, whatever the error is.
    #[test]
    fn a_freeze_that_does_not_return_is_undone() {
        assert!(is_frozen_after(Outcome::Return));
        let faults = [Fault::NotLoadable, Fault::Modules("returned something".to_owned()), Fault::Nobodys];
        for outcome in [Outcome::GenericError, Outcome::CommandNotFound].into_iter().chain(faults.map(Outcome::Failed))
        {
            assert!(!is_frozen_after(outcome.clone()), "{outcome:?}");
        }
    }
}
