//! Every command of every profile: what `commands.txt` says is so.

use bulkhead_broker::policy_files::profile;
use bulkhead_catalog::commands::COMMANDS;
use bulkhead_policy::PROFILES;
use bulkhead_policy_tests::here;
use bulkhead_tools::policy::{Decision, Stage};

/// The commands that ask the gate for nothing: they only talk, ask the agent about itself, or are about what another
/// command has opened, started or frozen.
const ASK_NOTHING: &[&str] = &[
    "guest-sync",
    "guest-ping",
    "guest-fsfreeze-status",
    "guest-file-close",
    "guest-file-read",
    "guest-file-write",
    "guest-file-seek",
    "guest-file-flush",
    "guest-exec-status",
];

struct Line {
    command: String,
    /// Profile by profile, in their order.
    allowed: Vec<bool>,
    request: String,
}

fn table() -> Vec<Line> {
    let text = std::fs::read_to_string(here("commands.txt")).expect("the table is there");
    let line = |line: &str| {
        let (words, arguments) = line.split_at(line.find('{').unwrap_or(line.len()));
        let mut words = words.split_whitespace();
        let command = words.next().expect("a line begins with a command").to_owned();
        let allowed = words.map(|word| match word {
            "yes" => true,
            "-" => false,
            other => panic!("{command}: neither yes nor -: {other}"),
        });
        let allowed: Vec<bool> = allowed.collect();
        assert_eq!(allowed.len(), PROFILES.len(), "{command}");
        let arguments = if arguments.is_empty() { "{}" } else { arguments };
        let request = format!("{{\"execute\": \"{command}\", \"arguments\": {arguments}}}");
        Line { command, allowed, request }
    };
    text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(line).collect()
}

#[test]
fn the_table_has_every_command_once() {
    let mut listed: Vec<String> = table().into_iter().map(|line| line.command).collect();
    let mut known: Vec<String> = COMMANDS.iter().map(|command| command.name.to_owned()).collect();
    listed.sort();
    known.sort();
    assert_eq!(listed, known);
}

/// And guest-info says the same: in a profile no command is called enabled that could do nothing, and none disabled that
/// could.
#[test]
fn every_profile_allows_what_the_table_says() {
    let mut stage = Stage::new().expect("the engine starts");
    let mut faults = Vec::new();
    for (column, named) in PROFILES.iter().enumerate() {
        let policy = profile(named.name);
        for line in table() {
            let rehearsed = stage.rehearse(&policy, &line.request, false).expect("the table has requests");
            let expected = if line.allowed[column] { Decision::Allow } else { Decision::Deny };
            if rehearsed.decision() != expected || rehearsed.ruling.permits() != line.allowed[column] {
                let denied: Vec<_> = rehearsed.denied().map(|it| it.capability.name()).collect();
                faults.push(format!(
                    "{} under {}: expected {expected:?}, is {:?}, denied {denied:?}, enabled {}",
                    line.command,
                    named.name,
                    rehearsed.decision(),
                    rehearsed.ruling.permits()
                ));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Otherwise the table would show less than it seems to: a request that fails before it asks is never denied.
#[test]
fn the_requests_reach_the_gate() {
    let mut stage = Stage::new().expect("the engine starts");
    let nothing_permitted = bulkhead_policy::Policy::default();
    for line in table() {
        let rehearsed = stage.rehearse(&nothing_permitted, &line.request, false).expect("the table has requests");
        let asks = rehearsed.denied().count() > 0;
        assert_eq!(asks, !ASK_NOTHING.contains(&line.command.as_str()), "{}", line.command);
        assert!(rehearsed.is_refused(), "{}", line.command);
    }
}

/// The profile that takes qemu-ga's place stands in no command's way.
#[test]
fn under_full_nothing_is_refused() {
    let mut stage = Stage::new().expect("the engine starts");
    let full = profile("full");
    for line in table() {
        let rehearsed = stage.rehearse(&full, &line.request, false).expect("the table has requests");
        let class = rehearsed.reply.as_ref().and_then(|reply| reply.pointer("/error/class")).cloned();
        assert_ne!(class, Some("CommandNotFound".into()), "{}", line.command);
        assert_eq!(rehearsed.denied().count(), 0, "{}", line.command);
        assert_eq!(rehearsed.judgements.forgotten, 0, "{}", line.command);
    }
}
