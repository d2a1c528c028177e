//! The conversation: what is asked, and what the answer must be.

use anyhow::{Context, Result, ensure};
use bulkhead_test_support::{Reply, Scratch};
use serde_json::{Value, json};

/// The text that is written to a file and read back.
pub(crate) const NOTE: &str = "Each command in its own compartment.\n";
/// The same text as it travels.
const NOTE_BASE64: &str = "RWFjaCBjb21tYW5kIGluIGl0cyBvd24gY29tcGFydG1lbnQuCg==";
/// The file's name in the scratch folder.
pub(crate) const NOTE_NAME: &str = "note";

/// One request and the rule for its reply.
pub(crate) struct Step {
    /// A line to print before this step, where a new part of the conversation begins.
    pub(crate) chapter: Option<&'static str>,
    /// The bytes to send, without the newline.
    pub(crate) request: String,
    /// The guest module whose code makes the reply; none where the host answers by itself.
    pub(crate) module: Option<&'static str>,
    /// The rule for the reply.
    pub(crate) check: Check,
}

/// Says what is wrong with a reply, if anything is.
type Check = Box<dyn Fn(&Reply) -> Result<()>>;

impl Step {
    /// A well-formed request to a command.
    pub(crate) fn call(command: &str, arguments: Value, check: impl Fn(&Reply) -> Result<()> + 'static) -> Self {
        let arguments = if arguments.is_null() { String::new() } else { format!(r#","arguments":{arguments}"#) };
        Step {
            chapter: None,
            request: format!(r#"{{"execute":"{command}"{arguments}}}"#),
            module: module_of(command),
            check: Box::new(check),
        }
    }

    /// A request whose return value is known beforehand.
    pub(crate) fn returns(command: &str, arguments: Value, expected: Value) -> Self {
        Step::call(command, arguments, move |reply| is_return(reply, &expected))
    }

    /// Marks a step that the host answers without running a module.
    pub(crate) fn by_host(self) -> Self {
        Step { module: None, ..self }
    }

    pub(crate) fn chapter(self, text: &'static str) -> Self {
        Step { chapter: Some(text), ..self }
    }
}

/// Handles are numbered from 1000 when the state directory is fresh, so the script knows them beforehand.
pub(crate) const FIRST_HANDLE: i64 = 1000;

/// All steps in order. Files go to `scratch`.
pub(crate) fn conversation(scratch: &Scratch) -> Vec<Step> {
    let note = scratch.join(NOTE_NAME);
    let (first, second) = (FIRST_HANDLE, FIRST_HANDLE + 1);
    let length = NOTE.len();
    vec![
        Step::call("guest-sync-delimited", json!({"id": 4711}), |reply| {
            ensure!(reply.sentinel, "the 0xFF byte before the reply is missing");
            is_return(reply, &json!(4711))
        })
        .chapter("Find the beginning of a reply in a stream that may hold leftovers"),
        Step::returns("guest-ping", Value::Null, json!({})),
        Step::call("guest-info", Value::Null, info_tells_the_block_list),
        Step::returns("guest-file-open", json!({"path": note, "mode": "w"}), json!(first))
            .chapter("Write a file, read it back"),
        Step::returns(
            "guest-file-write",
            json!({"handle": first, "buf-b64": NOTE_BASE64}),
            json!({"count": length, "eof": false}),
        ),
        Step::returns("guest-file-flush", json!({"handle": first}), json!({})),
        Step::returns("guest-file-close", json!({"handle": first}), json!({})),
        Step::returns("guest-file-open", json!({"path": note}), json!(second)),
        Step::returns(
            "guest-file-read",
            json!({"handle": second}),
            json!({"count": length, "buf-b64": NOTE_BASE64, "eof": true}),
        ),
        Step::returns("guest-file-close", json!({"handle": second}), json!({})),
        Step::returns("guest-fsfreeze-status", Value::Null, json!("thawed")).chapter("Ask about the file systems"),
        // The mode is one that no agent accepts: should the block list fail, this machine still stays up.
        Step::call("guest-shutdown", json!({"mode": "demo"}), |reply| {
            is_error(reply, "CommandNotFound", "Command guest-shutdown has been disabled")
        })
        .by_host()
        .chapter("Be refused: blocked by the owner (-b), unknown, not JSON"),
        Step::call("guest-make-coffee", Value::Null, |reply| {
            is_error(reply, "CommandNotFound", "The command guest-make-coffee has not been found")
        })
        .by_host(),
        Step {
            chapter: None,
            request: r#"{"execute" "guest-ping"}"#.to_owned(),
            module: None,
            check: Box::new(|reply| is_error(reply, "GenericError", "JSON parse error")),
        },
        Step::returns("guest-ping", Value::Null, json!({})).chapter("And go on as if nothing had happened"),
    ]
}

/// The folder below `guest-modules/` that holds a command.
fn module_of(command: &str) -> Option<&'static str> {
    match command {
        "guest-sync" | "guest-sync-delimited" | "guest-ping" | "guest-info" => Some("core"),
        "guest-shutdown" => Some("power"),
        "guest-exec" => Some("exec"),
        "guest-fstrim" => Some("filesystem"),
        _ if command.starts_with("guest-fsfreeze-") => Some("filesystem"),
        _ if command.starts_with("guest-file-") => Some("file"),
        _ => None,
    }
}

fn is_return(reply: &Reply, expected: &Value) -> Result<()> {
    let got = reply.value.get("return").context("expected a return")?;
    ensure!(got == expected, "expected the return {expected}");
    Ok(())
}

/// `desc` need only be contained: what stands around it differs between versions of qemu-ga.
pub(crate) fn is_error(reply: &Reply, class: &str, desc: &str) -> Result<()> {
    let text = |member| reply.value.pointer(member).and_then(Value::as_str).context("expected an error");
    ensure!(text("/error/class")? == class, "expected the class {class}");
    ensure!(text("/error/desc")?.contains(desc), "expected a desc with {desc:?}");
    Ok(())
}

/// guest-info must tell the client the truth about what it may call.
fn info_tells_the_block_list(reply: &Reply) -> Result<()> {
    ensure!(reply.value.pointer("/return/version").is_some_and(Value::is_string), "expected a version");
    let list = reply.value.pointer("/return/supported_commands").and_then(Value::as_array);
    let list = list.context("expected a list of commands")?;
    for (name, enabled) in [("guest-ping", true), ("guest-shutdown", false)] {
        let command = list.iter().find(|command| command["name"] == name);
        let command = command.with_context(|| format!("expected {name} in the list"))?;
        ensure!(command["enabled"] == enabled, "expected {name} to be listed with enabled: {enabled}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(text: &str) -> Reply {
        Reply { sentinel: false, value: serde_json::from_str(text).expect("a test writes JSON"), text: text.to_owned() }
    }

    #[test]
    fn a_wrong_reply_to_any_step_is_noticed() {
        for step in conversation(&Scratch::new("script")) {
            for wrong in [r#"{"return": "wrong"}"#, r#"{"error": {"class": "GenericError", "desc": "wrong"}}"#, "{}"] {
                assert!((step.check)(&reply(wrong)).is_err(), "{} accepts {wrong}", step.request);
            }
        }
    }

    #[test]
    fn a_sync_reply_without_the_sentinel_is_wrong() {
        let mut good = reply(r#"{"return": 4711}"#);
        let sync = conversation(&Scratch::new("script")).remove(0);
        assert!((sync.check)(&good).is_err());
        good.sentinel = true;
        assert!((sync.check)(&good).is_ok());
    }

    #[test]
    fn a_list_that_hides_the_block_is_wrong() {
        let list = |enabled| {
            reply(&format!(
                r#"{{"return": {{"version": "1", "supported_commands": [
                    {{"name": "guest-shutdown", "enabled": {enabled}}}, {{"name": "guest-ping", "enabled": true}}]}}}}"#
            ))
        };
        assert!(info_tells_the_block_list(&list(false)).is_ok());
        assert!(info_tells_the_block_list(&list(true)).is_err());
    }
}
