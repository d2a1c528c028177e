//! The dispatcher: may this command run now, and what became of it?

use crate::acting;
use crate::auditing::{Line, Ran};
use crate::bounds::limits;
use crate::capability::Answered;
use crate::capability::bindings::bulkhead::agent::types::{CommandError, ErrorClass as WitClass};
use crate::counts::Counts;
use crate::host_state::{Begun, SharedState};
use crate::installed::lineup::SharedLineup;
use crate::rulings::{self, Ruling, denials};
use crate::runtime::{Failure, Runtime};
use bulkhead_audit::Kind;
use bulkhead_catalog::commands::{Command, Installed};
use bulkhead_gate::Judgements;
use bulkhead_protocol::{ErrorClass, Id, Message, Reply, Request, Success};
use std::time::{Duration, Instant, SystemTime};

/// Turns messages into replies.
#[derive(Debug)]
pub struct Dispatcher {
    runtime: Runtime,
    state: SharedState,
    /// Who wants to know how installed modules do; nobody, if none can be installed.
    lineup: Option<SharedLineup>,
}

impl Dispatcher {
    /// Joins the parts.
    pub fn new(runtime: Runtime, state: SharedState) -> Self {
        Dispatcher { runtime, state, lineup: None }
    }

    /// From now on `lineup` is told how modules do.
    pub fn watched_by(mut self, lineup: SharedLineup) -> Self {
        self.lineup = Some(lineup);
        self
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
                let what = rejected.desc.split('\'').next().unwrap_or_default().trim_end();
                tracing::debug!("read data: no request ({what})");
                let state = self.state.borrow();
                Counts::add(&state.counts.rejected);
                state.audit().rejected(what);
                Some(error(ErrorClass::GenericError, &rejected.desc, rejected.id.as_ref()))
            }
            Message::Request(request) => self.execute(request),
        }
    }

    /// Whether the answer to `message` takes no longer than working it out: that of a built-in command which can reach nothing
    /// but the agent itself, and an error.
    pub fn answers_at_once(&self, message: &Message) -> bool {
        let Message::Request(request) = message else { return true };
        let found = self.state.borrow().catalog().find(request.execute());
        found.is_none_or(|command| self.runtime.modules().answers_at_once(command.module))
    }

    /// Clears away what the last request has left, and makes ready what the next one will probably need. Call it when the
    /// reply is on its way.
    pub fn settle(&mut self) {
        self.runtime.settle(&self.state);
    }

    fn execute(&mut self, request: Request) -> Option<Reply> {
        let (time, begin) = (SystemTime::now(), Instant::now());
        Counts::add(&self.state.borrow().counts.requests);
        let begun = self.state.borrow_mut().begin(request.execute());
        let ruled_in = begin.elapsed();
        let Some(Begun { command, ruling, was_frozen, frozen_before }) = begun else {
            let desc = format!("The command {} has not been found", request.execute());
            tracing::debug!("read data: unknown command {}", cut_for_log(request.execute()));
            return Some(self.refuse(&request, &desc, time, (None, &Ruling::unknown(), Duration::ZERO)));
        };
        let command = &command;
        if !ruling.permits() {
            let desc = format!("Command {} has been disabled: the command is not allowed", command.name);
            acting::tell_refusal(command, &ruling);
            tracing::debug!("read data: {}: refused, by: {}", command.name, ruling.by);
            return Some(self.refuse(&request, &desc, time, (command.installed, &ruling, ruled_in)));
        }
        let (ended, mut answered) = self.runtime.run(command.module, &self.state, request);
        let failed = !matches!(ended, Ok(Ok(_)));
        let judgements = self.state.borrow_mut().end();
        denials::tell(command, ruling.mode, &judgements);
        if matches!(ended, Err(Failure::Module(_))) {
            self.state.borrow_mut().set_broken(command.module);
        }
        if failed && !was_frozen && self.state.borrow().is_frozen() {
            self.state.borrow_mut().abandon_freeze(command.module);
        }
        let mut concluded = conclude(command, ended, &mut answered);
        // Whatever its module says, a thaw ends the frozen state.
        if frozen_before > 0 && rulings::is_thaw(command.name) && self.state.borrow().is_frozen() {
            let id = answered.request.as_ref().and_then(Request::id);
            concluded.reply = self.thaw(command, frozen_before, id).or(concluded.reply);
        }
        let Concluded { reply, outcome, failure } = concluded;
        self.count(&judgements, outcome);
        let arguments = answered.request.as_ref().map_or("{}", Request::arguments);
        let kind = acting::kind(command, &ruling, &judgements, outcome);
        acting::tell(command, &ruling, &judgements, kind, arguments, outcome);
        let audit = self.state.borrow().audit().clone();
        audit.answered(&Line {
            time,
            command: command.name,
            kind,
            installed: command.installed,
            request: answered.request.as_ref(),
            ruling: &ruling,
            judgements: &judgements,
            ran: Some(Ran {
                module: command.module,
                digest: self.runtime.modules().digest(command.module),
                timing: answered.timing,
            }),
            ruled_in,
            reply: reply.as_ref().map_or(0, Reply::len),
            outcome,
        });
        // Behind the audit, which says what has run, and before the next request.
        self.tell_lineup(command, failure.as_ref());
        tracing::debug!(
            "read data: {} ({} bytes of arguments): {} in {} us",
            command.name,
            answered.request.as_ref().map_or(0, |request| request.argument_bytes().len()),
            if failed { "failed" } else { "done" },
            begin.elapsed().as_micros()
        );
        reply
    }

    fn count(&self, judgements: &Judgements, outcome: &str) {
        let state = self.state.borrow();
        if denials::denied(judgements).next().is_some() {
            Counts::add(&state.counts.denied);
        }
        if outcome == "failed" {
            Counts::add(&state.counts.failed);
        }
    }

    /// Thaws what this agent froze, without the module that could not; the reply, if all `frozen` of them are thawed now.
    fn thaw(&self, command: &Command, frozen: usize, id: Option<&Id>) -> Option<Reply> {
        tracing::error!("{}: the host itself thaws what was frozen", command.name);
        let left = self.state.borrow_mut().abandon_freeze(command.module);
        let mut success = Success::default();
        success.append(frozen.to_string().as_bytes()).ok().filter(|()| left == 0)?;
        success.finish(id, false).ok()
    }

    fn tell_lineup(&self, command: &Command, failure: Option<&Failure>) {
        let Some(lineup) = &self.lineup else { return };
        match failure {
            None => lineup.borrow_mut().told(command, None),
            // What is not the module's fault says nothing of it, good or bad.
            Some(failure) => {
                if let Some(fault) = failure.fault() {
                    lineup.borrow_mut().told(command, Some(&fault));
                }
            }
        }
    }

    /// The answer to a command that does not run: what is known of it if it is not built in, who refuses it, and in what time.
    fn refuse(
        &self,
        request: &Request,
        desc: &str,
        time: SystemTime,
        (installed, ruling, ruled_in): (Option<&'static Installed>, &Ruling, Duration),
    ) -> Reply {
        let reply = error(ErrorClass::CommandNotFound, desc, request.id());
        Counts::add(&self.state.borrow().counts.refused);
        self.state.borrow().audit().answered(&Line {
            time,
            command: request.execute(),
            kind: Kind::Refused,
            installed,
            request: Some(request),
            ruling,
            judgements: &Judgements::default(),
            ran: None,
            ruled_in,
            reply: reply.len(),
            outcome: "CommandNotFound",
        });
        reply
    }
}

/// What became of a command.
struct Concluded {
    reply: Option<Reply>,
    /// In a word.
    outcome: &'static str,
    /// Why the module has not answered, if it has not.
    failure: Option<Failure>,
}

/// Makes a reply of what a module said and left.
fn conclude(
    command: &Command,
    ended: Result<Result<String, CommandError>, Failure>,
    answered: &mut Answered,
) -> Concluded {
    let id = answered.request.as_ref().and_then(Request::id);
    let mut success = std::mem::take(&mut answered.reply);
    let done = |reply, outcome| Concluded { reply, outcome, failure: None };
    let failed =
        |error| Concluded { reply: Some(failure(command, &error, id)), outcome: "failed", failure: Some(error) };
    match ended {
        Ok(Ok(_)) if !command.success_response => done(None, "ok"),
        Ok(Ok(last)) => match success.append(last.as_bytes()).and_then(|()| success.finish(id, answered.delimited)) {
            Ok(reply) => done(Some(reply), "ok"),
            Err(why) => failed(Failure::NotJson { module: command.module, why }),
        },
        Ok(Err(CommandError { class, desc })) => {
            let (class, name) = match class {
                WitClass::GenericError => (ErrorClass::GenericError, "GenericError"),
                WitClass::CommandNotFound => (ErrorClass::CommandNotFound, "CommandNotFound"),
            };
            done(Some(error(class, &desc, id)), name)
        }
        Err(error) => failed(error),
    }
}

/// The client learns that the command failed and where; why is for the owner.
fn failure(command: &Command, error: &Failure, id: Option<&Id>) -> Reply {
    let detail = std::error::Error::source(error).map(|source| format!(": {source:?}")).unwrap_or_default();
    tracing::error!("{}: {error}{detail}", command.name);
    let desc = format!("The command {} failed in module '{}'", command.name, command.module);
    self::error(ErrorClass::GenericError, &desc, id)
}

/// An error whose description is as long as it may be.
fn error(class: ErrorClass, desc: &str, id: Option<&Id>) -> Reply {
    Reply::error(class, &desc[..desc.floor_char_boundary(limits::DESCRIPTION)], id)
}

/// A client's words as they may stand in the log: short, and on one line.
fn cut_for_log(text: &str) -> String {
    text[..text.floor_char_boundary(80)].escape_debug().to_string()
}
