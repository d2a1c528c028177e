//! `bulkhead policy show`: the policy in force, and of which agent it speaks.

use super::outcome::Outcome;
use crate::which::Which;
use bulkhead_broker::policy_files::Loaded;
use bulkhead_catalog::commands::Catalog;
use bulkhead_host::briefly::short;
use bulkhead_host::running::Report;
use bulkhead_policy::{Rule, VERSION};
use std::io::{self, Write};
use std::process::ExitCode;

/// What the command line says.
///
/// What is printed is a policy file itself: it can be read again. Every rule has the place where it stands in a comment.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Print the rules of the profile too, instead of its name.
    #[arg(long)]
    effective: bool,
    /// Print instead what becomes of each command, while file systems are thawed and while they are frozen.
    ///
    /// runs: it does what the grants permit. observed: it runs, and what the grants would deny is allowed and logged. denied:
    /// it does not run. nothing granted: it is permitted, but nothing that it needs is, so that guest-info calls it disabled.
    /// "5 in 60s": it is denied when it comes faster. "-": the agent never runs it while file systems are frozen.
    #[arg(long, conflicts_with = "effective")]
    commands: bool,
}

/// Runs the tool.
pub(crate) fn run(which: &Which, options: &Options, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let running = which.whose.running();
    let files = running.as_ref().map_or_else(|| which.whose.files(), |(_, report)| report.files.clone());
    let loaded = files.load()?;
    if !options.commands {
        writeln!(out, "# {}", speaks_of(running.as_ref(), which, &loaded))?;
    } else if let Some((pid, report)) = running.as_ref().filter(|(_, report)| report.digest != loaded.digest) {
        eprintln!("bulkhead: {}", not_in_force(*pid, report));
    }
    if options.commands {
        commands(&loaded, which.known().catalog(), out)?;
    } else {
        rules(&loaded, options.effective, out)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Whose policy it is, in a sentence.
fn speaks_of(running: Option<&(i32, Report)>, which: &Which, loaded: &Loaded) -> String {
    let Some((pid, report)) = running else {
        let whose = &which.whose;
        let asked = whose.policy.is_some() || whose.program.is_some();
        let none = if asked { "" } else { "no agent can be seen to run; " };
        return format!("{none}what an agent would have in force that starts as {}", name(which));
    };
    if report.digest != loaded.digest {
        return not_in_force(*pid, report);
    }
    let program = report.in_force.as_ref().map(|it| format!(", which serves as {}", it.program)).unwrap_or_default();
    format!("in force in the agent that runs, process {pid}{program}")
}

fn name(which: &Which) -> &'static str {
    if which.whose.files().fallback.name == "full" { "qemu-ga" } else { "bulkhead-agent" }
}

fn not_in_force(pid: i32, report: &Report) -> String {
    format!(
        "NOT in force: the files have changed since the agent that runs, process {pid}, has read them ({}); to put them in force: \
         bulkhead policy reload",
        short(&report.digest)
    )
}

fn rules(loaded: &Loaded, effective: bool, out: &mut dyn Write) -> io::Result<()> {
    let policy = &loaded.policy;
    for file in &loaded.files {
        writeln!(out, "# {}", file.display())?;
    }
    if let (Some(profile), true) = (policy.profile, effective || loaded.files.is_empty()) {
        writeln!(out, "# profile {}", profile.name)?;
    }
    writeln!(out, "# SHA-256 {}\n\nversion = {VERSION}", loaded.digest)?;
    let profile = policy.profile.filter(|_| !effective);
    if let Some(profile) = profile {
        writeln!(out, "profile = \"{}\"", profile.name)?;
    }
    let shown = |rule: &Rule<'_>| profile.is_none() || !rule.origin().is_of_profile();
    for rule in policy.rules().filter(shown) {
        write!(out, "\n# {}\n{rule}", rule.origin())?;
    }
    Ok(())
}

fn commands(loaded: &Loaded, catalog: &Catalog, out: &mut dyn Write) -> io::Result<()> {
    let policy = &loaded.policy;
    let mut rows = vec![["command", "module", "thawed", "frozen", "by"].map(str::to_owned)];
    for command in catalog.all() {
        let (thawed, frozen) = (Outcome::of(command, false, policy), Outcome::of(command, true, policy));
        let rule = thawed.rule.map_or("no rule speaks of it".to_owned(), ToString::to_string);
        rows.push([command.name.to_owned(), command.module.to_owned(), thawed.to_string(), frozen.to_string(), rule]);
    }
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths = [width(0), width(1), width(2), width(3)];
    for row in &rows {
        for (cell, width) in row.iter().zip(widths) {
            write!(out, "{cell:width$}  ")?;
        }
        writeln!(out, "{}", row[4])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::known::testing::known;
    use crate::policy::named;
    use bulkhead_broker::policy_files::{PolicyFiles, digest};
    use bulkhead_catalog::commands::COMMANDS;
    use bulkhead_test_support::Scratch;

    const OWN: &str = "version = 1\nprofile = \"report\"\n[[command]]\nnames = [\"guest-get-users\"]\nmode = \"deny\"\n\
                       [[forbid]]\ncapability = \"network\"\nreason = \"a \\\"b\\\"\"\n[[limit]]\nmemory = \"8MiB\"\n";

    fn shown(loaded: &Loaded, effective: bool) -> String {
        let mut out = Vec::new();
        rules(loaded, effective, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_is_shown_is_the_same_policy_again() {
        let scratch = Scratch::new("show");
        let file = scratch.file("policy.toml", OWN);
        let loaded = PolicyFiles::of("bulkhead-agent", Some(&file)).load().unwrap();
        for effective in [false, true] {
            let text = shown(&loaded, effective);
            assert!(text.contains(&format!("# SHA-256 {}\n", loaded.digest)));
            assert!(text.contains(&format!("# {}:3:1\n[[command]]\n", file.display())), "{text}");
            assert_eq!(text.contains("\n# profile minimal:"), effective, "{text}");
            let again = scratch.file("again.toml", &text);
            assert_eq!(digest(&named::policy(again.as_os_str()).unwrap()), loaded.digest, "{text}");
        }
    }

    #[test]
    fn a_profile_alone_is_shown_by_its_name() {
        let scratch = Scratch::new("show-profile");
        let files = PolicyFiles { required: false, ..PolicyFiles::of("qemu-ga", Some(&scratch.path().join("none"))) };
        let text = shown(&files.load().unwrap(), false);
        assert!(
            text.starts_with("# profile full\n") && text.ends_with("\nversion = 1\nprofile = \"full\"\n"),
            "{text}"
        );
    }

    #[test]
    fn every_command_has_a_line() {
        let scratch = Scratch::new("show-commands");
        let file = scratch.file("policy.toml", OWN);
        let (known, mut out) = (known(), Vec::new());
        let loaded = PolicyFiles::of("bulkhead-agent", Some(&file)).load().unwrap();
        commands(&loaded, known.catalog(), &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        let line = |command: &str| {
            let line = text.lines().find(|line| line.starts_with(&format!("{command} "))).unwrap();
            line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect::<Vec<_>>()
        };
        assert_eq!(text.lines().count(), COMMANDS.len() + 2);
        let deny = format!("{}:3:1", file.display());
        assert_eq!(line("guest-get-users"), ["guest-get-users", "report", "denied", "-", &deny]);
        assert_eq!(line("guest-network-get-interfaces")[2], "nothing granted");
        assert_eq!(line("guest-exec")[4], "no rule speaks of it");
        assert_eq!(line("guest-sync")[2..4], ["runs", "runs"]);
        assert_eq!(line("__com.example_addresses")[1..3], ["com.example.net", "denied"]);
    }
}
