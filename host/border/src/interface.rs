//! How an interface is written down once, and both sides and the messages between them are made from it.

use crate::{Answer, Call};

/// What brings a call to the broker, and its answer back: a function call within one process, a socket between two.
pub trait Carrier {
    /// Asks, and waits for the answer.
    fn ask(&mut self, call: Call) -> Answer;
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
                    match self.0.ask(crate::Call::$name(Call::$function { $($argument),* })) {
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

        /// The front's side of all capabilities: each call is carried to the broker.
        #[derive(Debug)]
        pub struct Asking<C>(pub C);
    };
}

/// The broker answers what it is asked; one that does not is not the one we know, and nothing may be done on its word.
#[cold]
pub(crate) fn not_what_was_asked(answer: &Answer) -> ! {
    panic!("the broker answered another question: {answer:?}")
}
