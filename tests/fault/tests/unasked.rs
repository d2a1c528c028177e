//! A compartment that was made ready before its request: nothing can be done from it yet.

use bulkhead_border::Carrier;
use bulkhead_border::request::{Bounds, Ruling};
use bulkhead_broker::logging::LogHold;
use bulkhead_broker::policy_files::profile;
use bulkhead_broker::rulings::Lists;
use bulkhead_broker::state::State;
use bulkhead_broker::{Broker, Here};
use bulkhead_gate::Gate;
use bulkhead_host::capability::Compartment;
use bulkhead_host::capability::bindings::bulkhead::agent::{arguments, clock, reply};
use bulkhead_protocol::{Framer, Limits, Message};
use bulkhead_sys::Fake;
use bulkhead_test_support::Scratch;
use std::cell::RefCell;
use std::rc::Rc;

#[test]
fn nothing_can_be_called_before_there_is_a_request() {
    let scratch = Scratch::new("unasked");
    let gate = Gate::new(Box::new(Fake::default()), None, Rc::new(profile("full")));
    let state = State::open(scratch.path()).expect("a fresh state directory opens");
    let broker = Rc::new(RefCell::new(Broker::new(gate, Lists::default(), state, LogHold::new(None))));
    let mut compartment = Compartment::new("time", &Bounds::default(), Rc::clone(&broker));
    assert!(clock::Host::now(&mut compartment).is_err());
    assert!(reply::Host::append(&mut compartment, b"1".to_vec()).is_err());
    assert!(reply::Host::append_base64(&mut compartment, b"1".to_vec()).is_err());
    assert!(arguments::Host::read(&mut compartment, 0, 10).is_err());

    let mut framer = Framer::new(Limits::default());
    framer.push(br#"{"execute":"guest-get-time"}"#);
    let Some(Message::Request(request)) = framer.next() else { panic!("no request") };
    let begun = Here::new(broker).begin(request.execute().to_owned());
    let Ruling::Runs(runs) = &begun.ruling else { panic!("it runs") };
    compartment.accept(request, begun.number, runs);
    assert!(clock::Host::now(&mut compartment).is_ok());
    assert!(reply::Host::append(&mut compartment, b"1".to_vec()).is_ok());
}
