//! Words that mean nothing: names in lists, words that belong to no option, methods that do not exist.

use bulkhead_lifecycle::{Ended, refused, run_to_end, warnings};
use bulkhead_test_support::{Agent, Scratch, agent_named, agent_under_test};
use serde_json::json;
use std::fs;
use std::process::{Command, Stdio};

/// Runs `bulkhead` with these words to its end.
fn bulkhead(words: &[&str]) -> Ended {
    let scratch = Scratch::new("words");
    let mut command = Command::new(agent_named("bulkhead", &scratch));
    command.args(words).env("QGA_CONF", scratch.join("no-configuration")).stdin(Stdio::null());
    run_to_end(&mut command, &scratch)
}

#[test]
fn a_name_that_no_command_has_is_told_in_the_log() {
    for (value, said) in [
        ("guest-ping;guest-exec", "there is no command 'guest-ping;guest-exec'; a list has commas between its names"),
        ("\"guest-exec\"", "there is no command '\"guest-exec\"', did you mean 'guest-exec'?; a list has commas"),
        ("guest-ping,guest_exec", "there is no command 'guest_exec', did you mean 'guest-exec'?"),
        ("guest-exec # no shell", "there is no command 'guest-exec # no shell'; a list has commas"),
        ("guest-file-*", "'guest-file-*' is not the name of a command"),
    ] {
        for key in ["block-rpcs", "allow-rpcs"] {
            let scratch = Scratch::new("names");
            let file = scratch.join("agent.conf");
            fs::write(&file, format!("[general]\n{key}=guest-file-open,{value}\n")).unwrap();
            let agent = Agent::start_in(scratch, &agent_under_test(), &["-c", file.to_str().unwrap()], &[]);
            let reply = agent.client().call("guest-file-open", json!({ "path": "/dev/null" }));
            assert_eq!(reply.value.get("error").is_some(), key == "block-rpcs", "{key}={value}");
            let log = agent.log();
            assert!(log.contains(&format!("warning: configuration line 2, {key}: {said}")), "{key}={value}: {log}");
            assert_eq!(warnings(&log).len(), 1, "{log}");
        }
    }
}

#[test]
fn names_with_spaces_between_them_are_names() {
    let agent = Agent::start(&agent_under_test(), &["-b", "guest-file-open, guest-ping", "-b", " guest-sync"]);
    let mut client = agent.client();
    for command in ["guest-file-open", "guest-ping", "guest-sync"] {
        assert!(client.call(command, json!({})).desc().ends_with("has been disabled: the command is not allowed"));
    }
    assert_eq!(warnings(&agent.log()), [""; 0]);
}

#[test]
fn on_the_command_line_it_is_an_error() {
    let scratch = Scratch::new("words-refused");
    for (words, said) in [
        (
            &["--block-rpcs=guest-exex"][..],
            "option '--block-rpcs': there is no command 'guest-exex', did you mean 'guest-exec'?",
        ),
        (
            &["-a", "guest-ping;guest-info"],
            "option '--allow-rpcs': there is no command 'guest-ping;guest-info'; a list has",
        ),
        (
            &["--block-rpcs=guest-ping,", "guest-exec"],
            "the word 'guest-exec' belongs to no option: the names of a list",
        ),
        (&["-b", "guest-ping", "guest-exec"], "the word 'guest-exec' belongs to no option: the names of a list"),
    ] {
        let path = scratch.join("socket");
        let listening = ["-m", "unix-listen", "-p", path.to_str().unwrap()];
        let answer = refused(&scratch, &[&listening, words].concat());
        assert!(answer.contains(said), "{words:?}: {answer}");
        assert!(!path.exists(), "{words:?}: it listens");
    }
}

/// To qemu-ga such words are nothing, and units have them; in this one a variable in braces is empty.
#[test]
fn a_drop_in_starts_with_a_word_that_belongs_to_no_option() {
    let agent = Agent::start(&agent_under_test(), &["-F", "/nonexistent/hook", "", "-v"]);
    agent.client().call("guest-ping", json!({})).ok();
    let log = agent.log();
    let said = "warning: the word '/nonexistent/hook' belongs to no option and is ignored: the argument of -F must be attached";
    assert!(log.contains(said), "{log}");
    assert!(!log.contains("the word ''"), "{log}");
}

#[test]
fn bulkhead_starts_no_agent_for_a_word_that_it_does_not_know() {
    for (words, said) in [
        (&["statsu"][..], "there is no tool 'statsu', did you mean 'status'?; try '"),
        (&["start", "-m", "unix-listen", "-p", "/nonexistent/socket"], "there is no tool 'start'; try '"),
        (&["-v", "status"], "the word 'status' belongs to no option: a tool is called by the first word; try '"),
        (&["-m", "vrtio"], "unsupported channel method/type: vrtio; methods are virtio-serial, isa-serial, "),
        (
            &["--policy", "/nonexistent/policy", "-m", "unix-listen", "-p", "/nonexistent/socket"],
            "cannot take the policy: cannot read /nonexistent/policy: No such file or directory",
        ),
    ] {
        let ended = bulkhead(words);
        assert_eq!(ended.status.code(), Some(1), "{words:?}: {}", ended.output);
        assert!(ended.output.contains(said), "{words:?}: {}", ended.output);
    }
}

#[test]
fn help_and_version_are_words_too() {
    let printed = |words: &[&str]| {
        let ended = bulkhead(words);
        assert!(ended.status.success(), "{words:?}: {}", ended.output);
        // Each run is called by a path of its own.
        let rest = ended.output.split_once('\n').map(|(_, rest)| rest.to_owned());
        if ended.output.starts_with("Usage: /") { rest.unwrap_or_default() } else { ended.output }
    };
    for (word, option) in
        [(&["help"][..], &["--help"][..]), (&["version"], &["-V"]), (&["help", "policy"], &["policy", "--help"])]
    {
        assert_eq!(printed(word), printed(option));
    }
    let help = printed(&["help"]);
    for tool in ["status", "policy TOOL", "audit TOOL", "module TOOL"] {
        assert!(help.contains(&format!("\n  bulkhead {tool} ")), "{tool}");
    }
}
