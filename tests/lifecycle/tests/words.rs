//! Words that mean nothing: names in lists, words that belong to no option, methods that do not exist.

use bulkhead_lifecycle::{Ended, refused, run_to_end, warnings};
use bulkhead_test_support::{Agent, Scratch, agent_named, agent_under_test, tools};
use serde_json::json;
use std::fs;
use std::process::{Command, Stdio};

/// Runs the agent under its own name, with these words, to its end.
fn ours(words: &[&str]) -> Ended {
    let scratch = Scratch::new("words");
    ended(Command::new(agent_named("bulkhead-agent", &scratch)), words, &scratch)
}

/// Runs the tools.
fn bulkhead(words: &[&str]) -> Ended {
    ended(Command::new(tools()), words, &Scratch::new("words"))
}

fn ended(mut command: Command, words: &[&str], scratch: &Scratch) -> Ended {
    command.args(words).env("QGA_CONF", scratch.join("no-configuration")).stdin(Stdio::null());
    run_to_end(&mut command, scratch)
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
fn under_its_own_name_it_does_not_start_with_a_word_that_means_nothing() {
    for (words, said) in [
        (&["statsu"][..], "the word 'statsu' belongs to no option; try '"),
        (&["start", "-m", "unix-listen", "-p", "/nonexistent/socket"], "the word 'start' belongs to no option; try '"),
        (&["status"], "the word 'status' belongs to no option: the tools are another program, 'bulkhead'; try '"),
        (&["-m", "vrtio"], "unsupported channel method/type: vrtio; methods are virtio-serial, isa-serial, "),
        (
            &["--policy", "/nonexistent/policy", "-m", "unix-listen", "-p", "/nonexistent/socket"],
            "cannot take the policy: cannot read /nonexistent/policy: No such file or directory",
        ),
    ] {
        let ended = ours(words);
        assert_eq!(ended.status.code(), Some(1), "{words:?}: {}", ended.output);
        assert!(ended.output.contains(said), "{words:?}: {}", ended.output);
    }
}

#[test]
fn the_tools_start_no_agent() {
    for (words, said) in [
        (&[][..], "Usage: bulkhead <COMMAND>"),
        (&["statsu"], "a similar subcommand exists: 'status'"),
        (&["-m", "unix-listen"], "'-m' may be an option of the agent, which is another program: bulkhead-agent"),
        (&["--block-rpcs=guest-exec"], "'--block-rpcs' may be an option of the agent, which is another program"),
    ] {
        let ended = bulkhead(words);
        assert_eq!(ended.status.code(), Some(2), "{words:?}: {}", ended.output);
        assert!(ended.output.contains(said), "{words:?}: {}", ended.output);
    }
    let ended = bulkhead(&["policy", "check", "-m"]);
    assert!(!ended.output.contains("bulkhead-agent"), "it is the tool's: {}", ended.output);
}

#[test]
fn help_and_version_are_words_too() {
    let printed = |words: &[&str]| {
        let ended = bulkhead(words);
        assert!(ended.status.success(), "{words:?}: {}", ended.output);
        ended.output
    };
    for (word, option) in
        [(&["help"][..], &["--help"][..]), (&["version"], &["-V"]), (&["help", "policy"], &["policy", "--help"])]
    {
        assert_eq!(printed(word), printed(option));
    }
    let help = printed(&["help"]);
    for tool in ["status", "policy", "audit", "module"] {
        assert!(help.contains(&format!("\n  {tool} ")), "{tool}");
    }
}
