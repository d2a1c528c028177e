//! A request: how it is opened, what is asked meanwhile, and how it is closed.
//!
//! ```text
//! Begin ──► Begun: unknown or refused ──────────────────────────► End ──► Ended
//!           Begun: runs, with a number ──► Call ──► Answer ... ──► End ──► Ended
//! ```
//!
//! Whoever sends anything else, or names another request than the one that is open, is not the front we know.

use crate::{Answer, Call};
use std::time::Duration;

/// What the front says.
#[derive(Debug)]
pub enum Message {
    /// A client names this command.
    Begin(String),
    /// The module of the request of this number asks for something.
    Call(u64, Call),
    /// The request of this number is answered, or could not be.
    End(u64, End),
    /// A client sent something that is not a request: what is wrong with it, without any of the client's own words.
    Rejected(String),
}

/// What the broker answers.
#[derive(Debug)]
pub enum Reply {
    /// To [`Message::Begin`].
    Begun(Begun),
    /// To [`Message::Call`].
    Called(Answer),
    /// To [`Message::End`].
    Ended(Ended),
    /// To [`Message::Rejected`].
    Noted,
}

/// A request that is open.
#[derive(Clone, Debug)]
pub struct Begun {
    /// Its number, given once.
    pub number: u64,
    /// Whether it runs.
    pub ruling: Ruling,
    /// Whether the end of the request must tell the client's arguments: somebody may want to read of them.
    pub tell_arguments: bool,
}

/// Whether a command runs.
#[derive(Clone, Debug)]
pub enum Ruling {
    /// There is no such command.
    Unknown,
    /// It may not run now. Why is the owner's business.
    Refused,
    /// It runs.
    Runs(Runs),
}

/// How a command runs.
#[derive(Clone, Debug)]
pub struct Runs {
    /// The module that answers it.
    pub module: &'static str,
    /// Whether success is answered at all.
    pub success_response: bool,
    /// Whether it leads out of the frozen state, for which there is always time.
    pub leads_out: bool,
    /// What its compartment may use.
    pub bounds: Bounds,
}

/// What a compartment may use by the owner's policy. What the policy does not say the front's own limits do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    /// Memory, in bytes.
    pub memory: Option<Bound<usize>>,
    /// Processor time.
    pub time: Option<Bound<Duration>>,
}

/// How much, and which rule of the policy says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound<T> {
    /// How much at most.
    pub most: T,
    /// Where the rule stands, for messages.
    pub rule: String,
}

/// What became of a request. All of it is as the front tells it.
#[derive(Clone, Debug)]
pub struct End {
    /// What the client is told.
    pub outcome: Outcome,
    /// The client's arguments, as far as an owner may read them: those that the schema of the command knows, in the order in which
    /// they came.
    pub arguments: Vec<(String, Shown)>,
    /// How many arguments there were that no schema knows.
    pub unknown: u64,
    /// How long their text was, in bytes.
    pub asked: u64,
    /// How long the reply is, in bytes.
    pub replied: u64,
    /// Where the time went; nothing if nothing ran.
    pub timing: Option<Timing>,
}

/// What the client is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The module's return.
    Return,
    /// The module's error, of the class `GenericError`.
    GenericError,
    /// That there is no such command; by the agent itself, or by the module.
    CommandNotFound,
    /// That the command failed: its module did not answer.
    Failed(Fault),
}

/// Whose fault it was that a module has not answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The module cannot be loaded.
    NotLoadable,
    /// The module's, which did this, in a few words.
    Modules(String),
    /// Nobody's that is known: no memory, or a server that is slow.
    Nobodys,
}

/// Where the time of a request went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timing {
    /// Making the instance, and loading the module if it is the first of it.
    pub instance: Duration,
    /// The module's call, with the calls that it made to the host.
    pub call: Duration,
    /// Of these the calls in which the host acted: went through the gate, or to its own state.
    pub host: Duration,
}

/// What the broker has done at the end of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ended {
    /// The command was a thaw, its module has failed, and the broker itself has thawed so many file systems, all that there
    /// were: the client is to be told that.
    pub thawed: Option<usize>,
}

/// An argument, as far as it may be seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    /// A text, unescaped.
    Text(String),
    /// The beginning of a longer text, or of a long number, and the bytes of the whole as the client wrote it.
    Cut(String, u64),
    /// A number, `true`, `false` or `null`, as the client wrote it.
    Plain(String),
    /// Elements of a list.
    List(Vec<Shown>),
    /// So many elements more.
    More(u64),
    /// An object, or a list in a list, of so many bytes.
    Bytes(u64),
    /// Something secret of so many bytes and, if it is a list, so many elements.
    Secret(u64, Option<u64>),
}
