//! Rehearsals: what would become of a request. There is no second parser and no second decision: the real dispatcher
//! answers it with the real modules, in front of a system that only looks.

mod cast;

use super::Known;
use bulkhead_broker::logging::LogHold;
use bulkhead_broker::rulings::{By, Lists, Ruling};
use bulkhead_broker::state::State;
use bulkhead_broker::{Broker, SharedBroker};
use bulkhead_catalog::commands::{Catalog, Command};
use bulkhead_gate::{Gate, Judgement, Judgements, Notes};
use bulkhead_host::dispatcher::Dispatcher;
use bulkhead_host::runtime::{Runtime, StartError};
use bulkhead_policy::{CommandRule, Mode, Origin, Policy, When};
use bulkhead_protocol::{Framer, Limits, Message};
use cast::Cast;
use serde_json::Value;
use std::cell::RefCell;
use std::rc::Rc;
use thiserror::Error;

/// Where requests are rehearsed, one after the other; none leaves anything for the next.
#[derive(Debug)]
pub struct Stage {
    dispatcher: Dispatcher,
    broker: SharedBroker,
    cast: Cast,
}

/// What would become of a request.
#[derive(Debug)]
pub struct Rehearsed {
    /// The command.
    pub command: Command,
    /// Whether file systems were taken to be frozen.
    pub frozen: bool,
    /// Whether it may run, if it does not come too fast; so guest-info says it.
    pub ruling: Ruling,
    /// The rule that speaks of it and decides about it; none if no rule does.
    pub rule: Option<CommandRule>,
    /// The rules that deny it when it comes too fast.
    pub paces: Vec<CommandRule>,
    /// All that it asks for if nothing is refused, exactly as it asks, and what the policy says of it.
    pub judgements: Judgements,
    /// What the client would read; nothing if success is not answered.
    pub reply: Option<Value>,
    /// What was taken to be there, in words.
    pub notes: Vec<String>,
}

/// What would become of a request, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The command runs, and nothing that it asks for is denied.
    Allow,
    /// It runs, and what is denied is done nevertheless, and logged.
    Observe,
    /// It does not run, or something that it asks for is denied.
    Deny,
}

/// Why a request cannot be rehearsed.
#[derive(Debug, Error)]
pub enum RehearsalError {
    /// The text is not a request.
    #[error("this is not a request: {0}")]
    NoRequest(String),
    /// No command has the name.
    #[error("there is no command '{0}'{1}")]
    Unknown(String, String),
}

impl Rehearsed {
    /// In a word.
    pub fn decision(&self) -> Decision {
        match self.ruling.mode {
            Mode::Deny => Decision::Deny,
            _ if self.ruling.by == By::Thaw || self.denied().next().is_none() => Decision::Allow,
            Mode::Observe => Decision::Observe,
            Mode::Enforce => Decision::Deny,
        }
    }

    /// Whether the command itself is refused, whatever it would ask for.
    pub fn is_refused(&self) -> bool {
        !self.ruling.permits()
    }

    /// What it asks for and the policy denies.
    pub fn denied(&self) -> impl Iterator<Item = &Judgement> {
        self.judgements.list.iter().filter(|judgement| !judgement.allowed)
    }
}

impl Stage {
    /// With an engine and the built-in modules.
    pub fn new() -> Result<Self, StartError> {
        Stage::with(&Known::built_in())
    }

    /// With these modules. An installed one that cannot be loaded is left out with its commands, as the agent leaves it out:
    /// [`Stage::faults`] tells why.
    pub fn with(known: &Known) -> Result<Self, StartError> {
        let runtime = Runtime::new()?;
        let cast = Cast::of(known, &runtime);
        let gate = Gate::rehearsal(Rc::default(), Vec::new(), Notes::default());
        let broker = Rc::new(RefCell::new(new(gate, false)));
        Ok(Stage { dispatcher: Dispatcher::new(runtime, Rc::clone(&broker)), broker, cast })
    }

    /// Why modules that are installed are not here, a sentence each.
    pub fn faults(&self) -> &[String] {
        self.cast.faults()
    }

    /// Rehearses a request, JSON or the bare name of a command, with `policy` in force. A pace does not count: it is
    /// the first request of its kind.
    pub fn rehearse(&mut self, policy: &Policy, request: &str, frozen: bool) -> Result<Rehearsed, RehearsalError> {
        let request = request.trim();
        let text = match request.starts_with('{') {
            true => request.to_owned(),
            false => serde_json::json!({ "execute": request }).to_string(),
        };
        let catalog = self.cast.admit(policy);
        let (command, mount_points) = look_at(&text, &catalog)?;
        let (paces, rules): (Vec<_>, Vec<_>) = policy.commands.iter().cloned().partition(|it| it.faster_than.is_some());
        let unhurried = Rc::new(Policy { commands: rules, ..policy.clone() });
        let observed = Rc::new(Policy { commands: observe_everything(&command, policy), ..policy.clone() });
        let (judgements, notes) = {
            let notes = Notes::default();
            self.set(Gate::rehearsal(observed, mount_points.clone(), notes.clone()), frozen, &catalog);
            self.answer(&text)?;
            (self.broker.borrow().gate.rehearsed(), notes.list())
        };
        self.set(Gate::rehearsal(Rc::clone(&unhurried), mount_points, Notes::default()), frozen, &catalog);
        let ruling = self.broker.borrow().rule(&command);
        let reply = self.answer(&text)?;
        let rule = unhurried.command(command.name, frozen, |_| 0).rule.cloned();
        let paces = paces.into_iter().filter(|rule| rule.concerns(command.name, frozen)).collect();
        Ok(Rehearsed { command, frozen, ruling, rule, paces, judgements, reply, notes })
    }

    fn set(&mut self, gate: Gate, frozen: bool, catalog: &Catalog) {
        let mut broker = new(gate, frozen);
        broker.set_catalog(catalog.clone());
        self.dispatcher.set_broker(broker);
    }

    fn answer(&mut self, text: &str) -> Result<Option<Value>, RehearsalError> {
        let Some(reply) = self.dispatcher.answer(message(text)?) else { return Ok(None) };
        let bytes = reply.into_bytes();
        // The agent's own replies are JSON, one of them behind the sentinel.
        Ok(serde_json::from_slice(bytes.strip_prefix(&[bulkhead_protocol::SENTINEL]).unwrap_or(&bytes)).ok())
    }
}

fn new(gate: Gate, frozen: bool) -> Broker {
    Broker::new(gate, Lists::default(), State::unwritten(frozen), LogHold::new(None))
}

/// Which command it is, and where a disk has to be mounted for the policy to be asked about it.
fn look_at(text: &str, catalog: &Catalog) -> Result<(Command, Vec<String>), RehearsalError> {
    let request = match message(text)? {
        Message::Request(request) => request,
        Message::Rejected(rejected) => return Err(RehearsalError::NoRequest(rejected.desc.escape_debug().to_string())),
    };
    let name = request.execute();
    let Some(command) = catalog.find(name) else {
        let names = catalog.names();
        let near = names.iter().filter(|it| it.starts_with(name) || it.ends_with(&format!("-{name}")));
        let meant = near.min_by_key(|it| it.len()).map_or(String::new(), |it| format!(", did you mean '{it}'?"));
        return Err(RehearsalError::Unknown(name.escape_debug().to_string(), meant));
    };
    let arguments: Value = serde_json::from_str(request.arguments()).unwrap_or_default();
    let points = arguments.get("mountpoints").and_then(Value::as_array).into_iter().flatten();
    Ok((command, points.filter_map(Value::as_str).map(str::to_owned).collect()))
}

fn message(text: &str) -> Result<Message, RehearsalError> {
    let mut framer = Framer::new(Limits::default());
    framer.push(text.as_bytes());
    framer.next().ok_or_else(|| RehearsalError::NoRequest("it has no end".to_owned()))
}

/// Rules under which every command runs and nothing is refused, so that it shows all that it asks for. What `policy` does not let
/// run while file systems are frozen does not run then.
fn observe_everything(command: &Command, policy: &Policy) -> Vec<CommandRule> {
    let mut rules = vec![observe("*", When::Always)];
    if policy.lets_run_while_frozen(command.name) {
        rules.push(observe(command.name, When::Frozen));
    }
    rules
}

fn observe(name: &str, when: When) -> CommandRule {
    let origin = Origin { file: "rehearsal".into(), line: 1, column: 1 };
    CommandRule { names: vec![name.to_owned()], mode: Mode::Observe, when, faster_than: None, reason: None, origin }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bulkhead_broker::policy_files::profile;

    fn rehearse(policy: &str, request: &str) -> Rehearsed {
        Stage::new().unwrap().rehearse(&profile(policy), request, false).unwrap()
    }

    #[test]
    fn all_that_is_denied_is_shown_at_once() {
        let request =
            r#"{"execute":"guest-ssh-add-authorized-keys","arguments":{"username":"root","keys":["ssh-rsa A"]}}"#;
        let refused = rehearse("standard", request);
        assert!(refused.is_refused() && refused.ruling.by == By::NoRule);
        let permits: Vec<_> = refused.denied().filter_map(|it| it.permit.as_deref()).collect();
        assert!(permits[0].contains("read-keys") && permits[1].contains("write-keys"), "{permits:?}");
        let class = refused.reply.as_ref().and_then(|reply| reply.pointer("/error/class")).and_then(Value::as_str);
        assert_eq!(class, Some("CommandNotFound"));
        assert_eq!(rehearse("full", request).decision(), Decision::Allow);
    }

    #[test]
    fn a_command_that_asks_for_nothing_is_denied_where_nothing_is_granted() {
        let rule = CommandRule { mode: Mode::Enforce, ..observe("*", When::Always) };
        let policy = Policy { commands: vec![rule], ..Policy::default() };
        let rehearsed = Stage::new().unwrap().rehearse(&policy, "guest-exec-status", false).unwrap();
        assert_eq!((rehearsed.decision(), rehearsed.ruling.by), (Decision::Deny, By::NoGrant));
        assert!(rehearsed.rule.is_some() && rehearsed.judgements.list.is_empty());
    }

    #[test]
    fn the_frozen_state_is_the_stages_own() {
        let mut stage = Stage::new().unwrap();
        let mut decide = |request, frozen| stage.rehearse(&profile("backup"), request, frozen).unwrap().decision();
        assert_eq!(decide("guest-fsfreeze-freeze", false), Decision::Allow);
        assert_eq!(decide("guest-get-fsinfo", false), Decision::Allow, "nothing is left of the freeze");
        assert_eq!(decide("guest-get-fsinfo", true), Decision::Deny);
        assert_eq!(decide("guest-fsfreeze-thaw", true), Decision::Allow);
    }

    #[test]
    fn a_pace_is_told_and_does_not_count() {
        let mut policy = profile("standard");
        let pace = bulkhead_policy::Pace { calls: 1, within: std::time::Duration::from_secs(9) };
        policy.commands.push(CommandRule { mode: Mode::Deny, faster_than: Some(pace), ..observe("*", When::Always) });
        let mut stage = Stage::new().unwrap();
        for _ in 0..3 {
            let rehearsed = stage.rehearse(&policy, "guest-ping", false).unwrap();
            assert_eq!((rehearsed.decision(), rehearsed.paces.len()), (Decision::Allow, 1));
        }
    }

    #[test]
    fn what_is_no_request_is_told() {
        let mut stage = Stage::new().unwrap();
        let mut error = |request| stage.rehearse(&profile("full"), request, false).unwrap_err().to_string();
        assert_eq!(error("guest-exe"), "there is no command 'guest-exe', did you mean 'guest-exec'?");
        assert_eq!(
            error("guest\u{1b}[2J"),
            "there is no command 'guest\\u{1b}[2J'",
            "nothing moves a terminal's cursor"
        );
        assert_eq!(error("exec"), "there is no command 'exec', did you mean 'guest-exec'?");
        assert_eq!(error("{\"execute\":"), "this is not a request: it has no end");
        assert!(error("{\"exec\":1}").starts_with("this is not a request: "));
    }
}
