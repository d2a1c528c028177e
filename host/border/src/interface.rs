//! How an interface is written down once, and both sides and the messages between them are made from it.

use crate::request::{Begun, End, Ended, Message, Reply};
use crate::{Answer, Call};
use std::fmt::Debug;
use std::time::{Duration, Instant};

/// What brings a message to the broker, and its reply back: a function call within one process, a socket between two.
pub trait Carrier {
    /// Says something, and waits for what is said to it.
    fn carry(&mut self, message: Message) -> Reply;

    /// Tells that a client names this command.
    fn begin(&mut self, command: String) -> Begun {
        match self.carry(Message::Begin(command)) {
            Reply::Begun(begun) => begun,
            other => not_what_was_asked(&other),
        }
    }

    /// Tells what became of the request of this number.
    fn end(&mut self, request: u64, end: End) -> Ended {
        match self.carry(Message::End(request, end)) {
            Reply::Ended(ended) => ended,
            other => not_what_was_asked(&other),
        }
    }

    /// Tells that a client sent something that is not a request, and what is wrong with it.
    fn reject(&mut self, problem: String) {
        match self.carry(Message::Rejected(problem)) {
            Reply::Noted => {}
            other => not_what_was_asked(&other),
        }
    }
}

/// The front's side of one request: its capabilities, each call of which is carried to the broker.
#[derive(Debug)]
pub struct Asking<C> {
    carrier: C,
    request: u64,
    /// How long calls of the request have been waited for.
    pub acted: Duration,
}

impl<C: Carrier> Asking<C> {
    /// For a request that is yet to be opened.
    pub fn new(carrier: C) -> Self {
        Asking { carrier, request: 0, acted: Duration::ZERO }
    }

    /// From now on it is for the request of this number.
    pub fn set_request(&mut self, request: u64) {
        (self.request, self.acted) = (request, Duration::ZERO);
    }

    pub(crate) fn call(&mut self, call: Call) -> Answer {
        let begin = Instant::now();
        let reply = self.carrier.carry(Message::Call(self.request, call));
        self.acted += begin.elapsed();
        match reply {
            Reply::Called(answer) => answer,
            other => not_what_was_asked(&other),
        }
    }
}

/// One capability: its functions, as a trait for the side that acts.
///
/// Besides the trait it makes the messages `Call` and `Answer`, `serve`, which has the trait's functions answer a call, and the trait
/// for [`Asking`](crate::Asking), which sends the call.
macro_rules! interface {
    (
        $(#[$about:meta])*
        $name:ident {
            $(
                $(#[$doc:meta])*
                fn $function:ident($($argument:ident: $kind:ty),* $(,)?) -> $answer:ty;
            )*
        }
    ) => {
        $(#[$about])*
        pub trait $name {
            $($(#[$doc])* fn $function(&mut self, $($argument: $kind),*) -> $answer;)*
        }

        /// A call of one of the functions.
        #[allow(non_camel_case_types, missing_docs, reason = "made from the functions of the trait, where they are described")]
        #[derive(Debug)]
        pub enum Call {
            $($function { $($argument: $kind),* },)*
        }

        /// The answer to it.
        #[allow(non_camel_case_types, missing_docs, reason = "made from the functions of the trait, where they are described")]
        #[derive(Debug)]
        pub enum Answer {
            $($function($answer),)*
        }

        /// Has `by` answer `call`.
        pub fn serve(by: &mut impl $name, call: Call) -> Answer {
            match call {
                $(Call::$function { $($argument),* } => Answer::$function(by.$function($($argument),*)),)*
            }
        }

        impl<C: crate::Carrier> $name for crate::Asking<C> {
            $(
                fn $function(&mut self, $($argument: $kind),*) -> $answer {
                    match self.call(crate::Call::$name(Call::$function { $($argument),* })) {
                        crate::Answer::$name(Answer::$function(answer)) => answer,
                        other => crate::interface::not_what_was_asked(&other),
                    }
                }
            )*
        }
    };
}

/// All capabilities: the messages that they have together.
macro_rules! capabilities {
    ($($room:ident: $name:ident),* $(,)?) => {
        $(pub use $room::$name;)*

        /// A call of any capability.
        #[derive(Debug)]
        pub enum Call {
            $(#[doc = concat!("Of [`", stringify!($room), "`].")] $name($room::Call),)*
        }

        /// The answer to a [`Call`].
        #[derive(Debug)]
        pub enum Answer {
            $(#[doc = concat!("Of [`", stringify!($room), "`].")] $name($room::Answer),)*
        }
    };
}

/// The broker answers what it is asked; one that does not is not the one we know, and nothing may be done on its word.
#[cold]
pub(crate) fn not_what_was_asked(answer: &dyn Debug) -> ! {
    panic!("the broker answered another question: {answer:?}")
}
