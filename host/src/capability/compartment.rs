//! What the host knows of a running compartment.

use super::{broken_rule, errno};
use crate::bounds::{Bounds, limits};
use bulkhead_border::Asking;
use bulkhead_border::request::{self, Runs, Timing};
use bulkhead_broker::{Here, SharedBroker};
use bulkhead_protocol::{Request, Success};
use nix::time::{ClockId, clock_gettime};
use std::time::Duration;
use thiserror::Error;

/// The host's side of one instance: what it may use, the request it answers, the reply as far as it has come.
pub struct Compartment {
    pub(super) module: &'static str,
    pub(crate) bounds: Bounds,
    pub(super) request: Option<Request>,
    pub(super) reply: Success,
    /// Whether the module asked for the sentinel.
    pub(super) delimited: bool,
    pub(super) lines: usize,
    /// The way to the broker, who acts for the module.
    asking: Asking<Here>,
    /// Whether the request leads out of the frozen state, for which there is always time.
    leads_out: bool,
    calls: u32,
    /// Bytes moved for the module, in and out: what it did with them may take time in proportion.
    moved: u64,
    /// Processor time of this thread when the clock was first looked at.
    pub(crate) started: Option<Duration>,
    pub(crate) timing: Timing,
    /// Of the time that the broker has acted for the module what was spent [at length](Compartment::at_length), and has limits of its own.
    at_length: Duration,
}

/// The host has acted for the module for as long as it does for one request. That is not the module's fault: files and reports may
/// be on a server that is slow.
#[derive(Debug, Error)]
#[error("the host has acted for the module for {}s, and does no more for one request", limits::HOST_TIME.as_secs())]
pub(crate) struct TookTooLong;

/// What a compartment leaves behind.
pub struct Answered {
    /// The request, given back for its id.
    pub request: Option<Request>,
    /// The reply without its last piece.
    pub reply: Success,
    /// Whether the sentinel is wanted.
    pub delimited: bool,
    /// Where the time went.
    pub timing: Timing,
}

impl Compartment {
    /// For an instance of `module` within these bounds, with no request yet.
    pub fn new(module: &'static str, bounds: &request::Bounds, broker: SharedBroker) -> Self {
        Compartment {
            module,
            bounds: Bounds::new(bounds),
            request: None,
            reply: Success::default(),
            delimited: false,
            lines: 0,
            asking: Asking::new(Here::new(broker)),
            leads_out: false,
            calls: 0,
            moved: 0,
            started: None,
            timing: Timing::default(),
            at_length: Duration::ZERO,
        }
    }

    /// Gives it the request of this number to answer, whose time begins now. A request to thaw what is frozen has all that the
    /// agent itself would give it, however little the owner's limits leave its module.
    pub fn accept(&mut self, request: Request, number: u64, runs: &Runs) {
        self.asking.set_request(number);
        self.leads_out = runs.leads_out;
        if self.leads_out {
            self.bounds.widen();
        }
        errno::forget();
        self.request = Some(request);
        self.started = None;
    }

    /// The module is not the agent's own: its reply is looked at more closely.
    pub(crate) fn is_installed(&mut self) {
        self.reply = Success::with_unique_keys();
    }

    /// Takes what it leaves. Nothing may run in it any more.
    pub fn finish(&mut self) -> Answered {
        if self.lines > limits::LOG_LINES {
            let lost = self.lines - limits::LOG_LINES;
            tracing::warn!("module {}: {lost} more lines were not logged", self.module);
        }
        let reply = std::mem::take(&mut self.reply);
        let timing = Timing { host: self.asking.acted, ..self.timing };
        let (request, delimited) = (self.request.take(), self.delimited);
        Answered { request, reply, delimited, timing }
    }

    /// The name of the command.
    pub(crate) fn command(&self) -> &str {
        self.request.as_ref().map_or("", Request::execute)
    }

    /// The text of the arguments, in UTF-8.
    pub(crate) fn request_arguments(&self) -> &[u8] {
        self.request.as_ref().map_or(b"{}", Request::argument_bytes)
    }

    /// Every call of a capability begins here: calls are counted, and the bytes they move. An instance that was made ready
    /// before its request has nobody to act for yet.
    pub(super) fn called(&mut self, bytes: usize) -> wasmtime::Result<()> {
        if self.request.is_none() {
            return Err(broken_rule("the module called the host before it was asked anything"));
        }
        self.calls += 1;
        self.brought(bytes);
        if self.calls > limits::HOST_CALLS {
            return Err(broken_rule("the module called the host too often"));
        }
        if !self.leads_out && self.asking.acted - self.at_length > limits::HOST_TIME {
            return Err(wasmtime::Error::new(TookTooLong));
        }
        Ok(())
    }

    /// Does something of which the disk, the machine or another program decides how long it takes: file systems come to rest,
    /// memory is moved, a script runs. The module pays for it neither with its processor time nor with the host's; the gate
    /// has a limit for each.
    pub(super) fn at_length<T>(&mut self, act: impl FnOnce(&mut Self) -> T) -> wasmtime::Result<T> {
        let time = || clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID);
        let (before, acted) = (time()?, self.asking.acted);
        let outcome = act(self);
        let used = time()? - before;
        if let Some(started) = &mut self.started {
            *started += used.into();
        }
        self.at_length += self.asking.acted - acted;
        Ok(outcome)
    }

    /// More bytes than were known when the call began.
    pub(super) fn brought(&mut self, bytes: usize) {
        self.moved += bytes as u64;
    }

    /// How many bytes were moved for the module so far.
    pub(crate) fn moved(&self) -> u64 {
        self.moved
    }

    /// The broker, to be asked for something: as long as it acts the time is the host's, not the module's.
    pub(super) fn broker(&mut self) -> &mut Asking<Here> {
        &mut self.asking
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bulkhead_border::Carrier;
    use bulkhead_border::request::Ruling;
    use bulkhead_broker::Broker;
    use bulkhead_broker::logging::LogHold;
    use bulkhead_broker::policy_files::profile;
    use bulkhead_broker::rulings::Lists;
    use bulkhead_broker::state::State;
    use bulkhead_gate::{Gate, Notes};
    use bulkhead_protocol::{Framer, Limits, Message};
    use std::cell::RefCell;
    use std::rc::Rc;

    fn compartment(command: &str, is_frozen: bool) -> Compartment {
        let gate = Gate::rehearsal(Rc::new(profile("full")), Vec::new(), Notes::default());
        let broker = Broker::new(gate, Lists::default(), State::unwritten(is_frozen), LogHold::new(None));
        let broker = Rc::new(RefCell::new(broker));
        let begun = Here::new(Rc::clone(&broker)).begin(command.to_owned());
        // What does not run while file systems are frozen may have begun before.
        let runs = match begun.ruling {
            Ruling::Runs(runs) => runs,
            _ => Runs { module: "filesystem", success_response: true, leads_out: false, bounds: Default::default() },
        };
        let mut compartment = Compartment::new("filesystem", &runs.bounds, broker);
        let mut framer = Framer::new(Limits::default());
        framer.push(format!(r#"{{"execute":"{command}"}}"#).as_bytes());
        let Some(Message::Request(request)) = framer.next() else { panic!("it is a request") };
        compartment.accept(request, begun.number, &runs);
        compartment
    }

    #[test]
    fn the_host_acts_so_long_for_one_request_and_what_is_at_length_does_not_count() {
        let mut it = compartment("guest-fstrim", false);
        it.asking.acted = limits::HOST_TIME;
        assert!(it.called(0).is_ok());
        it.asking.acted = limits::HOST_TIME + Duration::from_nanos(1);
        assert!(it.called(0).unwrap_err().is::<TookTooLong>());
        it.at_length(|it| it.asking.acted *= 2).unwrap();
        assert!(it.called(0).unwrap_err().is::<TookTooLong>(), "that comes to the rest");
        it.asking.acted -= Duration::from_nanos(1);
        assert!(it.called(0).is_ok());
    }

    #[test]
    fn who_leads_out_of_the_frozen_state_has_all_the_time_it_takes() {
        let after_long = |command, is_frozen| {
            let mut it = compartment(command, is_frozen);
            it.asking.acted = limits::HOST_TIME * 2;
            it.called(0).map_err(|error| error.is::<TookTooLong>())
        };
        assert_eq!(after_long("guest-fsfreeze-thaw", true), Ok(()));
        assert_eq!(after_long("guest-fsfreeze-thaw", false), Err(true));
        assert_eq!(after_long("guest-fsfreeze-freeze-list", true), Err(true));
    }

    #[test]
    fn what_is_at_length_is_no_processor_time_of_the_module() {
        let mut it = compartment("guest-fstrim", false);
        let time = || Duration::from(clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).unwrap());
        it.started = Some(time());
        let before = it.started.unwrap();
        let mut used = Duration::ZERO;
        it.at_length(|_| {
            let begin = time();
            while used < Duration::from_millis(30) {
                used = time() - begin;
            }
        })
        .unwrap();
        assert!(it.started.unwrap() >= before + used);
    }
}
