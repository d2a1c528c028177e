//! One message, one reply; and the way to it for those in the same process.

use super::{Broker, SharedBroker};
use bulkhead_border::Carrier;
use bulkhead_border::request::{Message, Reply};
use bulkhead_catalog::Capability;
use thiserror::Error;

/// What no front that we made says. One that says it is broken, or somebody else's, and is not served any more.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Offence {
    /// A request was opened while another was open.
    #[error("a request was opened in the middle of another")]
    InTheMiddle,
    /// A request was named that is not the one that is open.
    #[error("request {0} is not the one that is open")]
    OtherRequest(u64),
    /// Something was asked for by a command that does not run.
    #[error("something was asked for by a command that may not run")]
    NotRunning,
    /// Something was asked for that the module does not import.
    #[error("module {0} asked for {1}, which it does not import")]
    NotImported(&'static str, Capability),
}

impl Broker {
    /// Does what a message asks for. After an [`Offence`] nothing has changed.
    pub fn serve(&mut self, message: Message) -> Result<Reply, Offence> {
        Ok(match message {
            Message::Begin(command) => Reply::Begun(self.begin(&command)?),
            Message::Call(request, call) => Reply::Called(self.call(request, call)?),
            Message::End(request, end) => Reply::Ended(self.end(request, &end)?),
            Message::Rejected(problem) => {
                self.reject(&problem);
                Reply::Noted
            }
        })
    }
}

/// The broker in the same process.
#[derive(Clone, Debug)]
pub struct Here(SharedBroker);

impl Here {
    /// The way to `broker`.
    pub fn new(broker: SharedBroker) -> Self {
        Here(broker)
    }

    /// The broker itself, for what is not said in messages yet.
    pub fn broker(&self) -> &SharedBroker {
        &self.0
    }
}

impl Carrier for Here {
    fn carry(&mut self, message: Message) -> Reply {
        // What a module does cannot cause one: it is linked with what it imports, and called while its request is open.
        self.0.borrow_mut().serve(message).unwrap_or_else(|offence| panic!("a bug in the agent: {offence}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{begin, broker, end};
    use bulkhead_border::request::{Outcome, Ruling};
    use bulkhead_border::{Answer, Call, clock, network};

    fn now() -> Call {
        Call::Clock(clock::Call::now {})
    }

    #[test]
    fn a_request_is_opened_asks_and_is_closed() {
        let mut broker = broker("full");
        let begun = begin(&mut broker, "guest-get-time");
        assert!(matches!(&begun.ruling, Ruling::Runs(runs) if runs.module == "time"));
        let answer = broker.serve(Message::Call(begun.number, now())).unwrap();
        assert!(matches!(answer, Reply::Called(Answer::Clock(clock::Answer::now(Ok(_))))));
        end(&mut broker, begun.number, Outcome::Return);
        assert_ne!(begin(&mut broker, "guest-get-time").number, begun.number, "a number is given once");
    }

    #[test]
    fn who_names_another_request_or_speaks_out_of_turn_offends_and_changes_nothing() {
        let mut broker = broker("full");
        assert_eq!(broker.serve(Message::Call(1, now())).unwrap_err(), Offence::OtherRequest(1), "none is open");
        let begun = begin(&mut broker, "guest-get-time");
        let other = begun.number + 1;
        assert_eq!(broker.serve(Message::Call(other, now())).unwrap_err(), Offence::OtherRequest(other));
        assert_eq!(broker.serve(Message::Begin("guest-ping".to_owned())).unwrap_err(), Offence::InTheMiddle);
        assert!(broker.serve(Message::Call(begun.number, now())).is_ok());
        end(&mut broker, begun.number, Outcome::Return);
        assert_eq!(
            broker.serve(Message::Call(begun.number, now())).unwrap_err(),
            Offence::OtherRequest(begun.number),
            "it is closed"
        );
    }

    #[test]
    fn a_command_that_does_not_run_asks_for_nothing() {
        let mut broker = broker("minimal");
        for refused in ["guest-exec", "guest-no-such-command"] {
            let begun = begin(&mut broker, refused);
            assert!(!matches!(begun.ruling, Ruling::Runs(_)));
            assert_eq!(broker.serve(Message::Call(begun.number, now())).unwrap_err(), Offence::NotRunning);
            end(&mut broker, begun.number, Outcome::CommandNotFound);
        }
        assert_eq!(broker.counts.refused.get(), 2);
    }

    #[test]
    fn a_module_asks_for_nothing_that_it_does_not_import() {
        let mut broker = broker("full");
        let begun = begin(&mut broker, "guest-get-time");
        let addresses = Call::Network(network::Call::addresses {});
        assert_eq!(
            broker.serve(Message::Call(begun.number, addresses)).unwrap_err(),
            Offence::NotImported("time", Capability::Network)
        );
    }
}
