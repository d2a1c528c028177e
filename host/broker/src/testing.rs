//! Brokers for tests.

use super::Broker;
use crate::logging::LogHold;
use crate::policy_files::profile;
use crate::rulings::Lists;
use crate::state::State;
use bulkhead_border::request::{Begun, End, Ended, Message, Outcome, Reply};
use bulkhead_gate::{Gate, Notes};
use std::rc::Rc;

/// With the policy of a profile, in front of a system that is looked at and not touched.
pub(crate) fn broker(policy: &str) -> Broker {
    let gate = Gate::rehearsal(Rc::new(profile(policy)), Vec::new(), Notes::default());
    Broker::new(gate, Lists::default(), State::unwritten(false), LogHold::new(None))
}

/// Opens a request.
pub(crate) fn begin(broker: &mut Broker, command: &str) -> Begun {
    match broker.serve(Message::Begin(command.to_owned())) {
        Ok(Reply::Begun(begun)) => begun,
        other => panic!("{other:?}"),
    }
}

/// Closes it.
pub(crate) fn end(broker: &mut Broker, number: u64, outcome: Outcome) -> Ended {
    let end = End { outcome, arguments: Vec::new(), unknown: 0, asked: 0, replied: 0, timing: None };
    match broker.serve(Message::End(number, end)) {
        Ok(Reply::Ended(ended)) => ended,
        other => panic!("{other:?}"),
    }
}
