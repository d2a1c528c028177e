//! The dispatcher: may this command run now, and what became of it?

use crate::capability::Answered;
use crate::capability::bindings::bulkhead::agent::types::{CommandError, ErrorClass as WitClass};
use crate::commands::{self, Command};
use crate::host_state::SharedState;
use crate::runtime::{Failure, Runtime, limits};
use bulkhead_protocol::{ErrorClass, Id, Message, Request, finish_success, write_error};
use std::time::Instant;

/// Turns messages into replies.
#[derive(Debug)]
pub struct Dispatcher {
    runtime: Runtime,
    state: SharedState,
}

/// The bytes of a reply.
#[derive(Debug)]
pub struct Reply {
    buffer: Vec<u8>,
    /// Where in the buffer the reply begins: its first byte is the sentinel, wanted or not.
    begin: usize,
}

impl Reply {
    /// The bytes to send.
    pub fn bytes(&self) -> &[u8] {
        &self.buffer[self.begin..]
    }

    fn error(class: ErrorClass, desc: &str, id: Option<&Id>) -> Self {
        let mut buffer = Vec::new();
        write_error(&mut buffer, class, cut(desc), id);
        Reply { buffer, begin: 0 }
    }
}

impl Dispatcher {
    /// Joins the parts.
    pub fn new(runtime: Runtime, state: SharedState) -> Self {
        Dispatcher { runtime, state }
    }

    /// What outlives a request.
    pub fn state(&self) -> &SharedState {
        &self.state
    }

    /// Answers one message; nothing for a command whose success is not answered.
    pub fn answer(&mut self, message: Message) -> Option<Reply> {
        match message {
            Message::Rejected(rejected) => {
                // Up to the first quotation mark: behind it stands what the client sent, and that may be a secret.
                let what = rejected.desc.split('\'').next().unwrap_or_default();
                tracing::debug!("read data: no request ({})", what.trim_end());
                Some(Reply::error(ErrorClass::GenericError, &rejected.desc, rejected.id.as_ref()))
            }
            Message::Request(request) => self.execute(request),
        }
    }

    fn execute(&mut self, request: Request) -> Option<Reply> {
        let Some(command) = commands::find(request.execute()) else {
            let desc = format!("The command {} has not been found", request.execute());
            tracing::debug!("read data: unknown command {}", cut_for_log(request.execute()));
            return Some(Reply::error(ErrorClass::CommandNotFound, &desc, request.id()));
        };
        let (permitted, was_frozen) = {
            let state = self.state.borrow();
            (state.permits(command), state.is_frozen())
        };
        if !permitted {
            let desc = format!("Command {} has been disabled: the command is not allowed", command.name);
            tracing::debug!("read data: {}: refused", command.name);
            return Some(Reply::error(ErrorClass::CommandNotFound, &desc, request.id()));
        }
        let begin = Instant::now();
        let length = request.arguments().len();
        let (outcome, answered) = self.runtime.run(command.module, &self.state, request);
        let failed = !matches!(outcome, Ok(Ok(_)));
        if matches!(outcome, Err(Failure::Module(_))) {
            self.state.borrow_mut().set_broken(command.module);
        }
        if failed && !was_frozen && self.state.borrow().is_frozen() {
            self.state.borrow_mut().abandon_freeze(command.module);
        }
        let reply = conclude(command, outcome, answered);
        tracing::debug!(
            "read data: {} ({length} bytes of arguments): {} in {} us",
            command.name,
            if failed { "failed" } else { "done" },
            begin.elapsed().as_micros()
        );
        reply
    }
}

/// Makes a reply of what a module said and left.
fn conclude(
    command: &Command,
    outcome: Result<Result<String, CommandError>, Failure>,
    answered: Answered,
) -> Option<Reply> {
    let Answered { request, reply: mut buffer, mut checker, delimited } = answered;
    let id = request.as_ref().and_then(Request::id);
    match outcome {
        Ok(Ok(_)) if !command.success_response => None,
        Ok(Ok(last)) => {
            if checker.feed(last.as_bytes()).and_then(|()| checker.finish()).is_err() {
                return Some(failure(command, &Failure::NotJson { module: command.module }, id));
            }
            buffer.extend_from_slice(last.as_bytes());
            finish_success(&mut buffer, id);
            Some(Reply { buffer, begin: usize::from(!delimited) })
        }
        Ok(Err(CommandError { class, desc })) => {
            let class = match class {
                WitClass::GenericError => ErrorClass::GenericError,
                WitClass::CommandNotFound => ErrorClass::CommandNotFound,
            };
            Some(Reply::error(class, &desc, id))
        }
        Err(error) => Some(failure(command, &error, id)),
    }
}

/// The client learns that the command failed and where; why is for the owner.
fn failure(command: &Command, error: &Failure, id: Option<&Id>) -> Reply {
    let detail = std::error::Error::source(error).map(|source| format!(": {source:?}")).unwrap_or_default();
    tracing::error!("{}: {error}{detail}", command.name);
    let desc = format!("The command {} failed in module '{}'", command.name, command.module);
    Reply::error(ErrorClass::GenericError, &desc, id)
}

/// A description as long as it may be.
fn cut(desc: &str) -> &str {
    &desc[..desc.floor_char_boundary(limits::DESCRIPTION)]
}

/// A client's words as they may stand in the log: short, and on one line.
fn cut_for_log(text: &str) -> String {
    text[..text.floor_char_boundary(80)].escape_debug().to_string()
}
