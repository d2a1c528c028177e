//! `bulkhead policy test`: requests and the decisions expected, so that a policy has tests.

use super::named;
use super::rehearse::{Decision, Rehearsed, Stage};
use crate::which::Which;
use anyhow::{Context, bail};
use bulkhead_broker::rulings::By;
use bulkhead_policy::{Policy, Profile};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What the command line says.
#[derive(Debug, clap::Args)]
#[command(after_help = FORM)]
pub(crate) struct Options {
    /// The tables.
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

const FORM: &str = "\
A table has a line for each case; what follows a '#' at a line's beginning is a remark:

  profile backup                  which policy is meant: a profile of the package,
  policy backup-host.toml         or a file, relative to the table; without: that of the agent

  allow guest-ping                the command runs, and nothing that it asks for is denied
  allow frozen guest-fsfreeze-thaw
  deny {\"execute\":\"guest-exec\",\"arguments\":{\"path\":\"/bin/sh\"}}
  deny(processes) {...}           just this capability is denied, and the command is not
  deny(command) guest-exec        the command itself is denied
  observe {...}                   it runs in observe mode, and would be denied otherwise";

/// A line of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Case {
    line: usize,
    expected: Decision,
    /// What denies it: a capability, or `command`.
    by: Option<String>,
    frozen: bool,
    request: String,
}

/// Runs the tool.
pub(crate) fn run(which: &Which, options: &Options, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let mut stage = which.stage()?;
    let (mut passed, mut failed) = (0, 0);
    for file in &options.files {
        let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        let (policy, cases) = read(file, &text)?;
        let policy = match policy {
            Some(policy) => policy,
            None => which.files().load()?.policy,
        };
        for case in cases {
            let place = format!("{}:{}", file.display(), case.line);
            match judge(&mut stage, &policy, &case) {
                Ok(rule) => {
                    passed += 1;
                    writeln!(out, "ok      {place}: {rule}")?;
                }
                Err(fault) => {
                    failed += 1;
                    writeln!(out, "FAILED  {place}: {fault}")?;
                }
            }
        }
    }
    writeln!(out, "{passed} passed, {failed} failed")?;
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What is wrong with a table of cases, as lines with their places; empty if every case comes out as it says.
///
/// Fails if the table cannot be read, names no policy, or says something that is no case.
pub fn failures(file: &Path) -> anyhow::Result<Vec<String>> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let (policy, cases) = read(file, &text)?;
    let policy = policy.with_context(|| format!("{} names no policy", file.display()))?;
    let mut stage = Stage::new()?;
    let judged = cases.iter().map(|case| (case.line, judge(&mut stage, &policy, case)));
    Ok(judged.filter_map(|(line, fault)| Some(format!("{}:{line}: {}", file.display(), fault.err()?))).collect())
}

/// What decided, if it is as expected; what is wrong, if not.
fn judge(stage: &mut Stage, policy: &Policy, case: &Case) -> Result<String, String> {
    let rehearsed = stage.rehearse(policy, &case.request, case.frozen).map_err(|error| error.to_string())?;
    let (decision, found) = (rehearsed.decision(), story(&rehearsed));
    if decision != case.expected {
        return Err(format!("expected {}, but {found}", word(case.expected)));
    }
    let Some(by) = &case.by else { return Ok(found) };
    let refused = rehearsed.is_refused();
    let capabilities: Vec<_> = rehearsed.denied().map(|it| it.capability.name()).collect();
    let as_expected = if by == "command" { refused } else { !refused && capabilities.contains(&by.as_str()) };
    if as_expected { Ok(found) } else { Err(format!("expected {by} to be denied, but {found}")) }
}

/// What became of a case and why, in a line.
fn story(rehearsed: &Rehearsed) -> String {
    let name = rehearsed.command.name;
    let command = match &rehearsed.rule {
        _ if rehearsed.ruling.by == By::Frozen => "the frozen state".to_owned(),
        _ if rehearsed.ruling.by == By::Thaw => "what is frozen must thaw".to_owned(),
        Some(rule) if rehearsed.ruling.by == By::NoGrant => {
            format!("{} permits it, and no grant what it needs", rule.origin)
        }
        Some(rule) => rule.origin.to_string(),
        None => "no rule permits it".to_owned(),
    };
    if rehearsed.is_refused() {
        return format!("{name} is denied ({command})");
    }
    let mut denied: Vec<String> = Vec::new();
    for judgement in rehearsed.denied() {
        let rule = judgement.rule.as_ref().map_or("no rule permits it".to_owned(), ToString::to_string);
        let text = format!("{} is denied ({rule})", judgement.capability);
        if !denied.contains(&text) {
            denied.push(text);
        }
    }
    match rehearsed.decision() {
        Decision::Allow => format!("{name} is allowed ({command})"),
        Decision::Observe => format!("{name} is observed ({command}): {}", denied.join(", ")),
        Decision::Deny => format!("{name} is denied: {}", denied.join(", ")),
    }
}

fn word(decision: Decision) -> &'static str {
    match decision {
        Decision::Allow => "allow",
        Decision::Observe => "observe",
        Decision::Deny => "deny",
    }
}

/// The policy that a table names, and its cases.
fn read(file: &Path, text: &str) -> anyhow::Result<(Option<Policy>, Vec<Case>)> {
    let (mut policy, mut cases) = (None, Vec::new());
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let place = || format!("{}:{}", file.display(), index + 1);
        let (first, rest) = line.split_once(' ').unwrap_or((line, ""));
        match first {
            "policy" | "profile" if policy.is_some() || !cases.is_empty() => {
                bail!("{}: a table is about one policy, named before the first case", place());
            }
            "profile" => {
                let name = rest.trim();
                Profile::named(name).with_context(|| format!("{}: there is no such profile", place()))?;
                policy = Some(named::policy(name.as_ref())?);
            }
            "policy" => policy = Some(named::policy(file.with_file_name(rest.trim()).as_os_str())?),
            _ => cases.push(case(index + 1, line).map_err(|fault| anyhow::anyhow!("{}: {fault}", place()))?),
        }
    }
    if cases.is_empty() {
        bail!("{}: there is no case in it", file.display());
    }
    Ok((policy, cases))
}

fn case(line: usize, text: &str) -> Result<Case, String> {
    let (mut expected, mut by, mut frozen, mut rest) = (None, None, false, text);
    loop {
        let (word, after) = rest.split_once(' ').unwrap_or((rest, ""));
        match word {
            "frozen" if !frozen => frozen = true,
            "allow" if expected.is_none() => expected = Some(Decision::Allow),
            "observe" if expected.is_none() => expected = Some(Decision::Observe),
            "deny" if expected.is_none() => expected = Some(Decision::Deny),
            _ => match word.strip_prefix("deny(").and_then(|name| name.strip_suffix(')')) {
                Some(name) if expected.is_none() => {
                    if name != "command" && bulkhead_policy::shape::find(name).is_none() {
                        return Err(format!("there is no capability '{name}'"));
                    }
                    expected = Some(Decision::Deny);
                    by = Some(name.to_owned());
                }
                _ => break,
            },
        }
        rest = after.trim_start();
    }
    match expected {
        None => Err("a case begins with allow, deny or observe".to_owned()),
        Some(_) if rest.is_empty() => Err("there is no request".to_owned()),
        Some(expected) => Ok(Case { line, expected, by, frozen, request: rest.to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bulkhead_test_support::Scratch;

    #[test]
    fn a_case_is_words_and_a_request() {
        let read = |text| case(7, text);
        let expected =
            Case { line: 7, expected: Decision::Allow, by: None, frozen: true, request: "guest-ping".to_owned() };
        assert_eq!(read("allow frozen guest-ping"), Ok(expected.clone()));
        assert_eq!(read("frozen allow  guest-ping"), Ok(expected));
        let denied = read(r#"deny(files) {"execute": "x"}"#).unwrap();
        assert_eq!((denied.by.as_deref(), denied.request.as_str()), (Some("files"), r#"{"execute": "x"}"#));
        assert_eq!(read("observe guest-exec").map(|case| case.expected), Ok(Decision::Observe));
        assert_eq!(read("deny(file) x"), Err("there is no capability 'file'".to_owned()));
        assert_eq!(read("frozen guest-ping"), Err("a case begins with allow, deny or observe".to_owned()));
        assert_eq!(read("deny"), Err("there is no request".to_owned()));
    }

    #[test]
    fn a_table_that_lies_is_found_out() {
        let scratch = Scratch::new("cases");
        scratch.file(
            "p.toml",
            "version = 1\nprofile = \"minimal\"\n[[command]]\nnames = [\"guest-exec\"]\nmode = \"observe\"\n",
        );
        let exec = r#"{"execute":"guest-exec","arguments":{"path":"/bin/true"}}"#;
        let honest = format!(
            "# remark\npolicy p.toml\n\nallow guest-ping\nobserve {exec}\ndeny(command) guest-get-time\n\
             deny(power) {{\"execute\":\"guest-suspend-ram\"}}\n"
        );
        let path = scratch.file("table.cases", &honest);
        let failed = failures(&path).unwrap();
        assert_eq!(failed.len(), 1, "{failed:?}");
        assert!(failed[0].ends_with(
            "table.cases:7: expected power to be denied, but guest-suspend-ram is denied (no rule permits it)"
        ));
        let lies = format!("profile minimal\ndeny guest-ping\nallow {exec}\nobserve guest-ping\nallow guest-pong\n");
        let failed = failures(&scratch.file("table.cases", &lies)).unwrap();
        // Where in the profile the rule stands is not the point.
        let faults = failed.iter().filter_map(|line| line.split_once(": "));
        let told: Vec<&str> = faults.filter_map(|(_, fault)| fault.split(':').next()).collect();
        assert_eq!(
            told,
            [
                "expected deny, but guest-ping is allowed (profile minimal",
                "expected allow, but guest-exec is denied (no rule permits it)",
                "expected observe, but guest-ping is allowed (profile minimal",
                "there is no command 'guest-pong'",
            ]
        );
    }

    #[test]
    fn a_table_that_cannot_be_read_is_no_success() {
        let scratch = Scratch::new("no-cases");
        let error = |text: &str| failures(&scratch.file("t.cases", text)).unwrap_err().to_string();
        assert!(error("profile minimal\n").ends_with("t.cases: there is no case in it"));
        assert!(error("allow guest-ping\n").ends_with("t.cases names no policy"));
        assert!(error("profile nothing\n").ends_with("t.cases:1: there is no such profile"));
        assert!(error("allow guest-ping\nprofile full\n").contains("t.cases:2: a table is about one policy"));
        assert!(error("policy gone.toml\nallow guest-ping\n").contains("the file cannot be read"));
    }
}
