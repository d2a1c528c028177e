//! The dispatcher: may this command run now, and what became of it?

use crate::bounds::limits;
use crate::capability::Answered;
use crate::capability::bindings::bulkhead::agent::types::{CommandError, ErrorClass as WitClass};
use crate::installed::lineup::SharedLineup;
use crate::runtime::{Failure, Runtime};
use crate::shown_arguments::shown_arguments;
use bulkhead_border::Carrier;
use bulkhead_border::request::{Begun, End, Ended, Fault, Outcome, Ruling, Runs};
use bulkhead_broker::{Broker, Here, SharedBroker};
use bulkhead_catalog::commands::Catalog;
use bulkhead_protocol::{ErrorClass, Id, Message, Reply, Request, Success};
use std::time::Instant;

/// Turns messages into replies.
#[derive(Debug)]
pub struct Dispatcher {
    runtime: Runtime,
    broker: SharedBroker,
    /// Who wants to know how installed modules do; nobody, if none can be installed.
    lineup: Option<SharedLineup>,
}

impl Dispatcher {
    /// Joins the parts.
    pub fn new(runtime: Runtime, broker: SharedBroker) -> Self {
        broker.borrow_mut().set_serving(runtime.modules().serving());
        Dispatcher { runtime, broker, lineup: None }
    }

    /// From now on `lineup` is told how modules do.
    pub fn watched_by(mut self, lineup: SharedLineup) -> Self {
        self.lineup = Some(lineup);
        self
    }

    /// Puts another in the place of who rules and acts, of which nothing is left: for those who rehearse.
    pub fn set_broker(&mut self, mut broker: Broker) {
        broker.set_serving(self.runtime.modules().serving());
        self.broker.replace(broker);
    }

    /// Who rules and acts.
    pub fn broker(&self) -> &SharedBroker {
        &self.broker
    }

    /// Answers one message; nothing for a command whose success is not answered.
    pub fn answer(&mut self, message: Message) -> Option<Reply> {
        match message {
            Message::Rejected(rejected) => {
                // Up to the first quotation mark: behind it stands what the client sent, and that may be a secret.
                let what = rejected.desc.split('\'').next().unwrap_or_default().trim_end();
                tracing::debug!("read data: no request ({what})");
                Here::new(self.broker.clone()).reject(what.to_owned());
                Some(error(ErrorClass::GenericError, &rejected.desc, rejected.id.as_ref()))
            }
            Message::Request(request) => self.execute(request),
        }
    }

    /// Whether the answer to `message` takes no longer than working it out: that of a built-in command which can reach nothing
    /// but the agent itself, and an error.
    pub fn answers_at_once(&self, message: &Message) -> bool {
        let Message::Request(request) = message else { return true };
        let found = self.broker.borrow().catalog().find(request.execute());
        found.is_none_or(|command| self.runtime.modules().answers_at_once(command.module))
    }

    /// Clears away what the last request has left, and makes ready what the next one will probably need. Call it when the
    /// reply is on its way.
    pub fn settle(&mut self) {
        self.runtime.settle(&self.broker);
    }

    fn execute(&mut self, request: Request) -> Option<Reply> {
        let begin = Instant::now();
        let mut broker = Here::new(self.broker.clone());
        let begun = broker.begin(request.execute().to_owned());
        let Ruling::Runs(runs) = &begun.ruling else { return Some(refuse(&mut broker, &begun, &request)) };
        let (ended, mut answered) = self.runtime.run((begun.number, runs), &self.broker, request);
        let concluded = conclude(runs, ended, &mut answered);
        let request = answered.request.as_ref();
        let mut end = end_of(&begun, request, self.broker.borrow().catalog());
        end.outcome = concluded.outcome.clone();
        end.replied = concluded.reply.as_ref().map_or(0, Reply::len) as u64;
        end.timing = Some(answered.timing);
        let ended = broker.end(begun.number, end);
        // Behind the audit, which says what has run, and before the next request.
        let name = request.map_or("", Request::execute);
        self.tell_lineup(runs.module, name, &concluded.outcome);
        tracing::debug!(
            "read data: {name} ({} bytes of arguments): {} in {} us",
            request.map_or(0, |request| request.argument_bytes().len()),
            if matches!(concluded.outcome, Outcome::Return) { "done" } else { "failed" },
            begin.elapsed().as_micros()
        );
        thawed(&ended, request.and_then(Request::id)).or(concluded.reply)
    }

    fn tell_lineup(&self, module: &'static str, command: &str, outcome: &Outcome) {
        let Some(lineup) = &self.lineup else { return };
        match outcome {
            // What is not the module's fault says nothing of it, good or bad.
            Outcome::Failed(Fault::NotLoadable | Fault::Nobodys) => {}
            Outcome::Failed(Fault::Modules(fault)) => lineup.borrow_mut().told(module, command, Some(fault)),
            _ => lineup.borrow_mut().told(module, command, None),
        }
    }
}

/// What became of a command.
struct Concluded {
    reply: Option<Reply>,
    outcome: Outcome,
}

/// Makes a reply of what a module said and left.
fn conclude(runs: &Runs, ended: Result<Result<String, CommandError>, Failure>, answered: &mut Answered) -> Concluded {
    let (id, command) = answered.request.as_ref().map_or((None, ""), |request| (request.id(), request.execute()));
    let mut success = std::mem::take(&mut answered.reply);
    let done = |reply, outcome| Concluded { reply, outcome };
    let failed = |error: Failure| {
        let reply = failure((command, runs.module), &error, id);
        Concluded { reply: Some(reply), outcome: Outcome::Failed(error.fault()) }
    };
    match ended {
        Ok(Ok(_)) if !runs.success_response => done(None, Outcome::Return),
        Ok(Ok(last)) => match success.append(last.as_bytes()).and_then(|()| success.finish(id, answered.delimited)) {
            Ok(reply) => done(Some(reply), Outcome::Return),
            Err(why) => failed(Failure::NotJson { module: runs.module, why }),
        },
        Ok(Err(CommandError { class, desc })) => {
            let (class, outcome) = match class {
                WitClass::GenericError => (ErrorClass::GenericError, Outcome::GenericError),
                WitClass::CommandNotFound => (ErrorClass::CommandNotFound, Outcome::CommandNotFound),
            };
            done(Some(error(class, &desc, id)), outcome)
        }
        Err(error) => failed(error),
    }
}

/// The answer to a command that does not run.
fn refuse(broker: &mut Here, begun: &Begun, request: &Request) -> Reply {
    let name = request.execute();
    let desc = match begun.ruling {
        Ruling::Unknown => format!("The command {name} has not been found"),
        _ => format!("Command {name} has been disabled: the command is not allowed"),
    };
    tracing::debug!("read data: {} does not run", cut_for_log(name));
    let reply = error(ErrorClass::CommandNotFound, &desc, request.id());
    let mut end = end_of(begun, Some(request), broker.broker().borrow().catalog());
    end.replied = reply.len() as u64;
    broker.end(begun.number, end);
    reply
}

/// What there is to tell of a request before it is known what came of it.
fn end_of(begun: &Begun, request: Option<&Request>, catalog: &Catalog) -> End {
    let text = request.map_or("{}", Request::arguments);
    let (arguments, unknown) = match request.filter(|_| begun.tell_arguments) {
        Some(request) => {
            let installed = catalog.find(request.execute()).and_then(|command| command.installed);
            shown_arguments(request.execute(), installed, text)
        }
        None => Default::default(),
    };
    let asked = text.len() as u64;
    End { outcome: Outcome::CommandNotFound, arguments, unknown, asked, replied: 0, timing: None }
}

/// The reply in place of a thaw's that failed, if all is thawed nevertheless.
fn thawed(ended: &Ended, id: Option<&Id>) -> Option<Reply> {
    let mut success = Success::default();
    success.append(ended.thawed?.to_string().as_bytes()).ok()?;
    success.finish(id, false).ok()
}

/// The client learns that the command failed and where; why is for the owner.
fn failure((command, module): (&str, &str), error: &Failure, id: Option<&Id>) -> Reply {
    let detail = std::error::Error::source(error).map(|source| format!(": {source:?}")).unwrap_or_default();
    tracing::error!("{command}: {error}{detail}");
    let desc = format!("The command {command} failed in module '{module}'");
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
