//! The self-test: before a module becomes current it runs for the first time, with every capability refused.
//!
//! Three of them have no word for a refusal, since a command that lacks them is never run: the list of commands, the clock, and what the
//! system calls itself. These a module has here too, if it imports them; they can only be read.

use anyhow::{Context, bail};
use bulkhead_border::request::Ruling;
use bulkhead_broker::logging::LogHold;
use bulkhead_broker::rulings::Lists;
use bulkhead_broker::state::State;
use bulkhead_broker::{Broker, SharedBroker};
use bulkhead_catalog::Capability;
use bulkhead_catalog::commands::{self, interned};
use bulkhead_gate::{Gate, Notes};
use bulkhead_host::capability::bindings::bulkhead::agent::types::ErrorClass;
use bulkhead_host::modules::{Form, Installed, commands_of, component};
use bulkhead_host::runtime::{Failure, Runtime};
use bulkhead_policy::{Document, Policy};
use bulkhead_protocol::{Framer, Limits, Message, Request};
use bulkhead_store::{Code, Expect, Manifest};
use serde_json::Value;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

/// The capabilities that end a module where they are refused.
const WITHOUT_REFUSAL: &[&str] = &["agent", "clock", "identity"];

/// What a module answered.
enum Answer {
    /// The text of its return.
    Return(String),
    /// Its error.
    Error(ErrorClass, String),
}

/// Loads the module's code in every form that this processor can run, and has it answer each of its commands, without arguments, and
/// the requests of its manifest's self-test. It can change nothing, and read next to nothing: no rule grants it more.
pub(super) fn run(
    manifest: &Manifest,
    imports: &[String],
    digest: &str,
    codes: &[(Code, Vec<u8>)],
) -> anyhow::Result<()> {
    let best = Form::detect();
    let mut runtime = Runtime::new()?;
    let policy = Rc::new(policy(&manifest.name)?);
    // What is made for the baseline runs on the best processor too, and there must be no first time for it in another VM.
    let runnable = codes.iter().filter(|(code, _)| code.form == best.name() || code.form == Form::Baseline.name());
    let mut trials = 0;
    for (code, bytes) in runnable {
        let failed = || format!("its code in the form {} fails", code.form);
        load(&mut runtime, manifest, imports, digest, bytes).with_context(failed)?;
        try_all(&mut runtime, &policy, manifest).with_context(failed)?;
        trials += 1;
    }
    if trials == 0 {
        bail!("it has no code for this processor, of the form {}", best.name());
    }
    Ok(())
}

fn load(
    runtime: &mut Runtime,
    manifest: &Manifest,
    imports: &[String],
    digest: &str,
    code: &[u8],
) -> anyhow::Result<()> {
    let component = component(runtime.engine(), code).map_err(anyhow::Error::msg)?;
    let imports = imports.iter().filter_map(|name| Capability::named(name)).collect();
    let module = Installed { component, digest: digest.into(), imports };
    // What was loaded before has the same digest, and would be taken for this one.
    runtime.modules_mut().set_installed(HashMap::new());
    runtime.modules_mut().set_installed([(interned(&manifest.name), module)].into());
    Ok(())
}

fn try_all(runtime: &mut Runtime, policy: &Rc<Policy>, manifest: &Manifest) -> anyhow::Result<()> {
    for command in &manifest.commands {
        let answer = ask(runtime, policy, manifest, &command.name, "{}")?;
        if let Answer::Error(ErrorClass::CommandNotFound, _) = answer {
            bail!("it does not know the command {}, which its manifest lists", command.name);
        }
    }
    for (number, test) in (1..).zip(&manifest.self_test) {
        let answer = ask(runtime, policy, manifest, &test.execute, &test.arguments)?;
        check(&test.expect, &answer).with_context(|| format!("its self-test {number}, of {}, fails", test.execute))?;
    }
    Ok(())
}

/// What the module answers, in a fresh instance.
fn ask(
    runtime: &mut Runtime,
    policy: &Rc<Policy>,
    manifest: &Manifest,
    command: &str,
    arguments: &str,
) -> anyhow::Result<Answer> {
    let gate = Gate::rehearsal(Rc::clone(policy), Vec::new(), Notes::default());
    let mut broker = Broker::new(gate, Lists::default(), State::unwritten(false), LogHold::new(None));
    broker.set_serving(runtime.modules().serving());
    let broker: SharedBroker = Rc::new(RefCell::new(broker));
    let vendors = || commands_of(manifest, &[]).into_iter().find(|it| it.name == command);
    let found = commands::find(command).copied().or_else(vendors);
    let begun = broker.borrow_mut().begin_unruled(found.context("its self-test names a command that is not its own")?);
    let Ruling::Runs(runs) = &begun.ruling else { bail!("{command} does not run") };
    let (ended, answered) = runtime.run((begun.number, runs), &broker, request(command, arguments)?);
    match ended {
        Ok(Ok(last)) => {
            let mut success = answered.reply;
            let Ok(reply) = success.append(last.as_bytes()).and_then(|()| success.finish(None, false)) else {
                bail!("what it answers to {command} is not one JSON value");
            };
            let reply = String::from_utf8(reply.into_bytes())?;
            let text = reply.strip_prefix("{\"return\": ").and_then(|rest| rest.strip_suffix("}\n"));
            Ok(Answer::Return(text.context("a reply has a return")?.to_owned()))
        }
        Ok(Err(error)) => Ok(Answer::Error(error.class, error.desc)),
        Err(error @ Failure::Trapped { .. }) => {
            Err(anyhow::Error::new(error).context(format!("it does not answer {command}")))
        }
        Err(error) => Err(error.into()),
    }
}

/// A policy that grants the module what has no word for a refusal, and nothing else.
fn policy(module: &str) -> anyhow::Result<Policy> {
    let (commands, modules) = (commands::names(), bulkhead_catalog::modules::names());
    let mut text = "version = 1\n".to_owned();
    for capability in WITHOUT_REFUSAL {
        text += &format!(
            "[[permit]]\ncapability = \"{capability}\"\nmodules = [\"{module}\"]\nreason = \"the self-test\"\n"
        );
    }
    let document = Document::parse("self-test", &text, &commands, &modules)?;
    Ok(Policy::merge([document], &commands, &modules)?)
}

fn request(command: &str, arguments: &str) -> anyhow::Result<Request> {
    let name = Value::from(command);
    let mut framer = Framer::new(Limits::default());
    framer.push(format!("{{\"execute\":{name},\"arguments\":{arguments}}}").as_bytes());
    match framer.next() {
        Some(Message::Request(request)) => Ok(request),
        Some(Message::Rejected(rejected)) => bail!("the arguments for {command} are wrong: {}", rejected.desc),
        None => bail!("the arguments for {command} have no end"),
    }
}

fn check(expected: &Expect, answer: &Answer) -> anyhow::Result<()> {
    let meaning = |text: &str| serde_json::from_str::<Value>(text).ok();
    match (expected, answer) {
        (Expect::Answer, _) => Ok(()),
        (Expect::Return(text), Answer::Return(answer))
            if meaning(text).is_some() && meaning(text) == meaning(answer) =>
        {
            Ok(())
        }
        (Expect::Error(words), Answer::Error(_, desc)) if desc.contains(words) => Ok(()),
        (_, Answer::Return(answer)) => bail!("it returns {}", cut(answer)),
        (_, Answer::Error(_, desc)) => bail!("it answers with the error: {}", cut(desc)),
    }
}

/// An answer as it may be shown.
fn cut(text: &str) -> String {
    /// Bytes of an answer that are shown. It bounds what a module can write on a terminal; a sentence has some
    /// hundred, and whoever wants to see more uses 'bulkhead module run'.
    const SHOWN: usize = 300;
    super::words::shown(text[..text.floor_char_boundary(SHOWN)].trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_what_is_expected_or_is_shown() {
        let (returned, error) = (
            Answer::Return(" {\"a\": 1}".to_owned()),
            Answer::Error(ErrorClass::GenericError, "it is\n denied".to_owned()),
        );
        assert!(check(&Expect::Answer, &returned).is_ok() && check(&Expect::Answer, &error).is_ok());
        assert!(check(&Expect::Return("{\"a\":1}".to_owned()), &returned).is_ok(), "as JSON, not as text");
        assert!(check(&Expect::Error("denied".to_owned()), &error).is_ok());
        let said = check(&Expect::Return("2".to_owned()), &returned).unwrap_err().to_string();
        assert_eq!(said, "it returns {\"a\": 1}");
        let said = check(&Expect::Error("x".to_owned()), &error).unwrap_err().to_string();
        assert_eq!(said, "it answers with the error: it is\\n denied");
        assert!(check(&Expect::Return("x".to_owned()), &Answer::Return("y".to_owned())).is_err(), "neither is JSON");
    }

    #[test]
    fn nothing_is_granted_that_can_be_refused() {
        for module in ["com.example.x", "file"] {
            let policy = policy(module).unwrap();
            for capability in Capability::ALL {
                let is_granted = policy.grants_any(module, capability.name(), None);
                assert_eq!(is_granted, WITHOUT_REFUSAL.contains(&capability.name()), "{capability}");
            }
        }
    }

    #[test]
    fn a_request_is_what_the_wire_would_have() {
        assert_eq!(request("__com.example_x", "{\"a\":1}").unwrap().arguments(), "{\"a\":1}");
        assert!(request("x", "{").is_err());
        assert!(request("x", "[]").is_err());
    }
}
