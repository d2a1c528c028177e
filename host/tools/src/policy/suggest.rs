//! `bulkhead policy suggest`: the smallest policy that would have allowed what an audit has seen denied, or only observed.

mod learned;
pub(super) mod narrow;

use super::Known;
use super::named;
use crate::which::Which;
use anyhow::Context;
use bulkhead_policy::{Mode, Policy};
use learned::{Learned, Use};
use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::ExitCode;

/// What the command line says.
#[derive(Debug, clap::Args)]
#[command(after_help = LEARNING)]
pub(crate) struct Options {
    /// Files of an audit, oldest first; '-' for stdin.
    #[arg(long, required = true, num_args = 1.., value_name = "FILE")]
    from: Vec<PathBuf>,
    /// Of several files in a folder, permit the folder; of several arguments in one place, permit any. What was made
    /// wider is told.
    #[arg(long)]
    generalize: bool,
    /// A profile or a file: leave out what it permits already.
    #[arg(long, value_name = "FILE|PROFILE")]
    base: Option<OsString>,
}

const LEARNING: &str = "\
To learn what the tools need that use the agent, allow everything for a while and have it recorded: put this into
/etc/bulkhead/policy.d/learn.toml, with --audit-file among the agent's options,

  version = 1
  [[command]]
  names = [\"*\"]
  mode = \"observe\"
  reason = \"learning until Friday\"

say 'bulkhead policy reload', and let the tools do what they do. A command that another rule enforces stays enforced. Then
replace the file by what is suggested here, once you have read it: it permits what happened, not what should.";

/// Runs the tool.
pub(crate) fn run(which: &Which, options: &Options, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let mut learned = Learned::of(which.known().catalog());
    for path in &options.from {
        let cannot = || format!("cannot read {}", path.display());
        let lines: Box<dyn BufRead> = if path.as_os_str() == "-" {
            Box::new(std::io::stdin().lock())
        } else {
            Box::new(BufReader::new(std::fs::File::open(path).with_context(cannot)?))
        };
        for line in lines.split(b'\n') {
            learned.add(&String::from_utf8_lossy(&line.with_context(cannot)?));
        }
    }
    let base = options.base.as_deref().map(named::policy).transpose()?;
    write!(out, "{}", text(learned, base.as_ref(), options.generalize))?;
    Ok(ExitCode::SUCCESS)
}

/// The policy that the lines of an audit suggest about the commands of these modules, as a drop-in on top of `base`.
pub fn suggest<'a>(
    lines: impl IntoIterator<Item = &'a str>,
    known: &Known,
    base: Option<&Policy>,
    generalize: bool,
) -> String {
    let mut learned = Learned::of(known.catalog());
    lines.into_iter().for_each(|line| learned.add(line));
    text(learned, base, generalize)
}

fn text(learned: Learned, base: Option<&Policy>, generalize: bool) -> String {
    let mut remarks = vec![
        format!("What {} lines of an audit{} saw denied, or only observed.", learned.lines, learned.span()),
        "Read it before you put it in force: it permits what happened, not what should.".to_owned(),
    ];
    let (mut commands, mut rules) = (String::new(), String::new());
    for (name, seen) in &learned.commands {
        match base.map(|base| base.command(name, false, |_| 0)) {
            Some(verdict) if verdict.mode == Mode::Enforce => continue,
            Some(verdict) if verdict.mode == Mode::Deny => {
                let by = verdict.rule.map(|rule| format!("{name} stays denied by {}.", rule.origin));
                remarks.extend(by);
            }
            _ => {}
        }
        let _ =
            write!(commands, "\n[[command]]\nnames = [\"{name}\"]\nmode = \"enforce\"\nreason = \"learned: {seen}\"\n");
    }
    let is_new = |it: &Use| base.is_none_or(|base| !base.grants.iter().any(|rule| rule.makes_needless(&it.grant)));
    let mut uses: Vec<Use> = learned.uses.into_iter().filter(is_new).collect();
    uses = narrow::merged(uses);
    if generalize {
        let (wider, told) = narrow::generalized(uses);
        uses = narrow::merged(wider);
        remarks.extend(told);
    }
    if uses.iter().any(|it| it.grant.value("arguments").is_some()) {
        let what =
            "What programs were given as arguments is not in an audit, for it may be a secret: '*' stands for each.";
        remarks.push(format!("{what} Make them exact."));
    }
    for it in uses {
        let _ = write!(rules, "\n{}", it.into_rule());
    }
    remarks.extend(learned.left_out.into_iter().map(|what| format!("Left out: {what}.")));
    let remarks: String =
        remarks.iter().map(|remark| format!("# {}\n", remark.replace(char::is_control, " "))).collect();
    format!("{remarks}version = 1\n{commands}{rules}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::known::testing::known;
    use bulkhead_broker::policy_files::profile;
    use bulkhead_catalog::{commands, modules};
    use bulkhead_policy::{Ask, Asks, Document, permit_for};
    use serde_json::json;

    fn line(command: &str, decision: &str, module: &str, capability: &str, asks: &Asks<'_>) -> String {
        let permit = permit_for(module, capability, asks, false);
        let judgement = json!({"capability": capability, "module": module, "allowed": false, "rule": null, "times": 1, "permit": permit});
        json!({"seq": 1, "time": "2026-11-22T10:00:00.000000Z", "command": command, "decision": decision, "judgements": [judgement]})
            .to_string()
    }

    fn open(path: &'static str, access: &'static [&'static str]) -> String {
        let trees = Ask::Within { surely: &[], perhaps: &[], path: path.as_bytes() };
        line("guest-file-open", "observe", "file", "files", &[("trees", trees), ("access", Ask::Words(access))])
    }

    fn suggested(lines: &[String], base: Option<&Policy>, generalize: bool) -> (String, Policy) {
        let text = suggest(lines.iter().map(String::as_str), &known(), base, generalize);
        let (commands, modules) = (commands::names(), modules::names());
        let document = Document::parse("suggested", &text, &commands, &modules);
        let document = document.unwrap_or_else(|error| panic!("{error}\n{text}"));
        (text, Policy::merge([document], &commands, &modules).unwrap())
    }

    #[test]
    fn what_happened_is_permitted_and_nothing_more() {
        let lines = [open("/var/log/a", &["read"]), open("/var/log/b", &["read"]), open("/var/log/a", &["write"])];
        let (text, policy) = suggested(&lines, None, false);
        let expected = "\
# What 3 lines of an audit from 2026-11-22T10:00:00 to 2026-11-22T10:00:00 saw denied, or only observed.
# Read it before you put it in force: it permits what happened, not what should.
version = 1

[[command]]
names = [\"guest-file-open\"]
mode = \"enforce\"
reason = \"learned: 3 times, first 2026-11-22T10:00:00, last 2026-11-22T10:00:00\"

[[permit]]
capability = \"files\"
modules = [\"file\"]
trees = [\"/var/log/a\", \"/var/log/b\"]
access = [\"read\"]
reason = \"learned: guest-file-open, 2 times, first 2026-11-22T10:00:00, last 2026-11-22T10:00:00\"

[[permit]]
capability = \"files\"
modules = [\"file\"]
trees = [\"/var/log/a\"]
access = [\"write\"]
reason = \"learned: guest-file-open, once, 2026-11-22T10:00:00\"
";
        assert_eq!(text, expected);
        let judge = |tree: &str, access: &[&str]| {
            let trees = Ask::Within { surely: &[tree], perhaps: &[], path: b"" };
            policy.judge("file", "files", &[("trees", trees), ("access", Ask::Words(access))]).allowed
        };
        assert!(judge("/var/log/a", &["read"]) && judge("/var/log/b", &["read"]) && judge("/var/log/a", &["write"]));
        assert!(!judge("/var/log/b", &["write"]) && !judge("/var/log/a", &["read", "write"]), "no more than the sum");
    }

    #[test]
    fn wider_only_when_told_to() {
        let lines = [
            open("/var/log/a", &["read"]),
            open("/var/log/b", &["read"]),
            open("/motd", &["read"]),
            open("/x", &["read"]),
        ];
        let (text, policy) = suggested(&lines, None, true);
        assert!(text.contains("# Made wider: /var/log for /var/log/a, /var/log/b.\n"), "{text}");
        assert_eq!(policy.trees("file", "files"), ["/motd", "/var/log", "/x"], "never the root");
    }

    #[test]
    fn what_the_base_permits_is_left_out() {
        let power =
            |mode: &'static str| line("guest-shutdown", "observe", "power", "power", &[("modes", Ask::Words(&[mode]))]);
        let freeze =
            line("guest-fsfreeze-freeze", "observe", "filesystem", "freezer", &[("mount-points", Ask::Path(b"/"))]);
        let (_, policy) = suggested(&[power("halt"), freeze], Some(&profile("minimal")), false);
        assert_eq!((policy.commands.len(), policy.grants.len()), (1, 1), "{policy:?}");
        assert_eq!(policy.commands[0].names, ["guest-fsfreeze-freeze"]);
        assert_eq!(policy.grants[0].shape.capability, "freezer");
    }

    #[test]
    fn a_refused_command_is_permitted_and_one_that_ran_is_not_named_again() {
        let refused =
            json!({"time": "t", "command": "guest-get-users", "decision": "deny", "judgements": []}).to_string();
        let allowed = json!({"time": "t", "command": "guest-ping", "decision": "allow", "judgements": []}).to_string();
        let (_, policy) = suggested(&[refused, allowed], None, false);
        assert_eq!(policy.commands.len(), 1);
        assert_eq!(policy.commands[0].names, ["guest-get-users"]);
    }

    #[test]
    fn what_no_permit_can_change_is_left_out() {
        let refused = |command: &str, rule: &str| {
            json!({"time": "t", "command": command, "decision": "deny", "rule": rule, "judgements": []}).to_string()
        };
        let lines = [
            refused("guest-exec", "lists"),
            refused("guest-get-time", "frozen"),
            refused("guest-shutdown", "policy.toml:3:1"),
            refused("guest-get-users", "no rule"),
        ];
        let (text, policy) = suggested(&lines, None, false);
        assert_eq!(policy.commands.len(), 1, "{text}");
        for what in [
            "guest-exec, which was refused because of the lists of the configuration",
            "guest-get-time, which was refused because of the frozen state",
            "guest-shutdown, which was denied by policy.toml:3:1",
        ] {
            assert!(text.contains(&format!("# Left out: {what}.\n")), "{text}");
        }
    }

    /// A client that knows of the learning must not be able to have anything permitted that did not happen.
    #[test]
    fn a_client_cannot_slip_in_a_star() {
        let user = |name: &'static [u8]| {
            let asks = [("users", Ask::Names(&[name])), ("may", Ask::Words(&["write-keys"]))];
            line("guest-ssh-add-authorized-keys", "observe", "account", "accounts", &asks)
        };
        let forged = json!({"command": "guest-ping\"]\n[[permit]]", "decision": "deny", "time": "t", "judgements": []});
        let permit = "capability = \"clock\"\nmodules = [\"time\"]\nreason = \"\"\n[[command]]\nnames = [\"*\"]\nmode = \"enforce\"\n";
        let two = json!({"time": "t", "command": "guest-ping", "decision": "allow",
            "judgements": [{"capability": "clock", "module": "time", "allowed": false, "permit": permit}]});
        let lines = [user(b"*"), user(b"al\"ice\n#"), forged.to_string(), two.to_string(), "no json".to_owned()];
        let (text, policy) = suggested(&lines, None, true);
        assert_eq!((policy.commands.len(), policy.grants.len()), (1, 1), "{text}");
        let judge = |name: &[u8]| {
            policy.judge("account", "accounts", &[("users", Ask::Names(&[name])), ("may", Ask::Words(&["write-keys"]))])
        };
        assert!(judge(b"al\"ice\n#").allowed && !judge(b"root").allowed);
        assert!(text.contains("# Left out: "), "{text}");
    }

    #[test]
    fn an_installed_module_is_suggested_by_its_own_name() {
        let asked = |command: &str| line(command, "observe", "com.example.net", "network", &[]);
        let (text, policy) = suggested(&[asked("__com.example_addresses")], None, false);
        assert_eq!(policy.commands[0].names, ["__com.example_addresses"], "{text}");
        assert!(policy.judge("com.example.net", "network", &[]).allowed, "{text}");
        assert!(!policy.judge("report", "network", &[]).allowed, "and nobody else's: {text}");
        // A client may have asked for any name.
        let (text, policy) = suggested(&[asked("__com.example_invented")], None, false);
        assert!(policy.commands.is_empty() && policy.grants.is_empty(), "{text}");
        assert!(text.contains("# Left out: commands that there are not.\n"), "{text}");
    }

    /// Nor may a line of an audit decide which modules replace which.
    #[test]
    fn a_line_cannot_slip_in_a_rule_about_modules() {
        let permit = "capability = \"network\"\nmodules = [\"report\"]\nreason = \"\"\n[[module]]\n\
                      names = [\"*\"]\nreplace = true\nreason = \"\"\n";
        let judgement = json!({"capability": "network", "module": "report", "allowed": false, "permit": permit});
        let line = json!({"command": "guest-ping", "decision": "allow", "time": "t", "judgements": [judgement]});
        let (text, policy) = suggested(&[line.to_string()], None, false);
        assert!(policy.grants.is_empty() && text.contains("the line tells more than a permit"), "{text}");
    }

    #[test]
    fn what_a_rule_forbids_is_told_and_not_suggested() {
        let judgement = json!({"capability": "power", "module": "power", "allowed": false, "rule": "policy.toml:9:1", "permit":
            "capability = \"power\"\nmodules = [\"power\"]\nmodes = [\"halt\"]\nreason = \"\"\n"});
        let line = json!({"time": "t", "command": "guest-shutdown", "decision": "allow", "judgements": [judgement]});
        let (text, policy) = suggested(&[line.to_string()], None, false);
        assert!(policy.grants.is_empty() && policy.commands.is_empty());
        assert!(text.contains("# Left out: power of module power is forbidden by policy.toml:9:1"), "{text}");
    }
}
