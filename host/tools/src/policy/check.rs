//! `bulkhead policy check`: what is wrong in policy files, and what is wider than it looks.

mod empty;
mod here;
mod installed;
mod machine;
mod needless;
mod programs;
mod wide;

use super::Known;
use crate::which::Which;
use bulkhead_catalog::{commands, modules};
use bulkhead_policy::{Document, Origin, Policy};
use bulkhead_trust::TrustError;
use std::fmt::{self, Display, Formatter};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What the command line says.
///
/// Every finding has its place. An error is something that the agent would refuse, and then it goes on with the policy it has, or
/// does not start. A warning is a rule that says nothing, or gives away more than it seems to; what other rules forbid of it is
/// not weighed. A hint is about this machine, or about what is not a fault.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The files of one policy; give a drop-in together with the file that it adds to. Without: those of the agent.
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// End with 1 for warnings too, and not for errors alone.
    #[arg(long)]
    strict: bool,
}

/// Something to look at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    /// A place, or a file.
    place: Place,
    level: Level,
    message: String,
}

/// Where it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    File(PathBuf),
    Rule(Origin),
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Error,
    Warning,
    Hint,
}

impl Finding {
    fn warning(origin: &Origin, message: impl Into<String>) -> Self {
        Finding { place: Place::Rule(origin.clone()), level: Level::Warning, message: message.into() }
    }

    fn hint(origin: &Origin, message: impl Into<String>) -> Self {
        Finding { place: Place::Rule(origin.clone()), level: Level::Hint, message: message.into() }
    }

    fn of_file(level: Level, path: &Path, error: &dyn Display) -> Self {
        Finding { place: Place::File(path.to_owned()), level, message: error.to_string() }
    }
}

impl Display for Finding {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let level = match self.level {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Hint => "hint",
        };
        match &self.place {
            Place::File(path) => write!(out, "{}: {level}: {}", path.display(), self.message),
            Place::Rule(origin) => write!(out, "{origin}: {level}: {}", self.message),
        }
    }
}

/// Runs the tool.
pub(crate) fn run(which: &Which, options: &Options, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let (files, known) = (which.files(), Known::read(&which.store));
    let mut reading = Reading::default();
    if options.files.is_empty() {
        reading.installed(&files.file, files.required);
    } else {
        options.files.iter().for_each(|path| reading.named(path));
    }
    if reading.files == 0 && reading.findings.is_empty() {
        writeln!(out, "{} is not there: the profile {} is in force", files.file.display(), files.fallback.name)?;
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(fault) = known.fault() {
        let message = format!("what is installed is not looked at: {fault}");
        reading.findings.push(Finding::of_file(Level::Hint, &which.store, &message));
    }
    let findings = reading.finish(&files.file, &known);
    findings.iter().try_for_each(|finding| writeln!(out, "{finding}"))?;
    let count = |level| findings.iter().filter(|finding| finding.level == level).count();
    let (errors, warnings) = (count(Level::Error), count(Level::Warning));
    if findings.is_empty() {
        writeln!(out, "no fault found")?;
    } else {
        writeln!(out, "errors: {errors}, warnings: {warnings}, hints: {}", count(Level::Hint))?;
    }
    let good = errors == 0 && !(options.strict && warnings > 0);
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The files as far as they were read.
#[derive(Debug, Default)]
struct Reading {
    documents: Vec<Document>,
    findings: Vec<Finding>,
    /// How many there were.
    files: usize,
}

impl Reading {
    /// The agent's own file and its drop-ins, read as the agent reads them.
    fn installed(&mut self, file: &Path, required: bool) {
        let drop_ins = bulkhead_trust::drop_ins(&file.with_file_name("policy.d")).unwrap_or_else(|error| {
            self.findings.push(Finding::of_file(Level::Error, file, &told(error)));
            Vec::new()
        });
        for path in [file.to_owned()].into_iter().chain(drop_ins) {
            match bulkhead_trust::read(&path) {
                Ok(Some(text)) => self.text(&path, &text),
                Ok(None) if path == file && !required => {}
                Ok(None) => self.findings.push(Finding::of_file(Level::Error, &path, &"it is not there")),
                Err(error) => self.findings.push(Finding::of_file(Level::Error, &path, &told(error))),
            }
        }
    }

    /// A file that lies wherever the owner works on it.
    fn named(&mut self, path: &Path) {
        match fs::read_to_string(path) {
            Ok(text) => self.text(path, &text),
            Err(error) => return self.findings.push(Finding::of_file(Level::Error, path, &error)),
        }
        if let Err(error) = bulkhead_trust::read(path) {
            let message = format!("where it lies the agent would not read it: {}", told(error));
            self.findings.push(Finding::of_file(Level::Hint, path, &message));
        }
    }

    fn text(&mut self, path: &Path, text: &str) {
        let (document, errors) = Document::read(&path.to_string_lossy(), text, &commands::names(), &modules::names());
        self.files += 1;
        self.documents.push(document);
        let error = |error: bulkhead_policy::PolicyError| Finding {
            place: Place::Rule(error.origin),
            level: Level::Error,
            message: error.message,
        };
        self.findings.extend(errors.into_iter().map(error));
    }

    /// All findings. A policy with errors is not looked at further: what is missing would be found wanting everywhere.
    fn finish(mut self, policy_file: &Path, known: &Known) -> Vec<Finding> {
        let profile = self.documents.iter().find_map(|document| document.profile.clone());
        let is_sound = self.findings.iter().all(|finding| finding.level != Level::Error);
        match Policy::merge(self.documents, &commands::names(), &modules::names()) {
            Ok(policy) if is_sound => {
                self.findings.extend(look(&policy, policy_file, known));
                // Its rules are none of the owner's, but the choice of it is.
                if let Some((profile, origin)) = profile.filter(|_| wide::is_root(&policy)) {
                    let message = format!("with the profile {} whoever holds the channel is root", profile.name);
                    self.findings.push(Finding::warning(&origin, message));
                }
            }
            Ok(_) => {}
            Err(error) => self.findings.push(Finding {
                place: Place::Rule(error.origin),
                level: Level::Error,
                message: error.message,
            }),
        }
        self.findings.sort();
        self.findings.dedup();
        self.findings
    }
}

/// What is to be said of a policy that is sound. `policy_file` is where the agent's own lies.
fn look(policy: &Policy, policy_file: &Path, known: &Known) -> Vec<Finding> {
    let mut findings = needless::look(policy, known);
    findings.extend(empty::look(policy, known));
    findings.extend(installed::look(policy, known));
    findings.extend(machine::look(policy));
    findings.extend(wide::look(policy, policy_file));
    findings.extend(here::look(policy));
    findings.retain(|finding| matches!(&finding.place, Place::Rule(origin) if !origin.is_of_profile()));
    findings
}

/// An error with its causes.
fn told(error: TrustError) -> String {
    format!("{:#}", anyhow::Error::from(error))
}

#[cfg(test)]
mod testing {
    //! Policies for tests.

    use super::Finding;
    pub(super) use crate::policy::known::testing::policy;

    /// `names` may run.
    pub(super) fn command(names: &str) -> String {
        format!("[[command]]\nnames = [{names}]\nmode = \"enforce\"\n")
    }

    pub(super) fn grant(effect: &str, capability: &str, lines: &str) -> String {
        format!("[[{effect}]]\ncapability = \"{capability}\"\n{lines}\nreason = \"x\"\n")
    }

    pub(super) fn lines(findings: &[Finding]) -> Vec<String> {
        findings.iter().map(ToString::to_string).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bulkhead_test_support::Scratch;
    use std::os::unix::fs::PermissionsExt;

    fn check(path: &Path) -> Vec<String> {
        let mut reading = Reading::default();
        reading.named(path);
        testing::lines(&reading.finish(Path::new("/etc/bulkhead/policy.toml"), &Known::built_in()))
    }

    #[test]
    fn the_profiles_have_no_fault() {
        let scratch = Scratch::new("check");
        for profile in bulkhead_policy::PROFILES {
            let file = scratch.file("profile.toml", profile.text);
            let found = check(&file);
            let faults: Vec<_> = found.iter().filter(|line| !line.contains("root")).collect();
            assert!(faults.is_empty(), "{}: {faults:#?}", profile.name);
            assert_eq!(found.is_empty(), profile.name != "full", "only full makes root of a client: {found:#?}");
        }
    }

    #[test]
    fn the_choice_of_a_profile_that_gives_all_away_is_told() {
        let scratch = Scratch::new("check-full");
        let full = "version = 1\nprofile = \"full\"\n";
        let told = |more: &str| check(&scratch.file("policy.toml", &format!("{full}{more}")));
        let found = told("");
        assert!(found.len() == 1 && found[0].contains(":2:11: warning: with the profile full "), "{found:?}");
        let deny = "[[command]]\nmode = \"deny\"\nnames = [\"guest-exec\", \"guest-file-*\", \"guest-ssh-*\", \
                    \"guest-set-user-password\"]\n";
        assert_eq!(told(deny), [""; 0]);
    }

    #[test]
    fn errors_come_all_at_once_and_alone() {
        let scratch = Scratch::new("check-errors");
        let text = "version = 1\n[[command]]\nnames = [\"guest-pnig\"]\nmode = \"deny\"\n[[permit]]\n\
                    capability = \"clock\"\nmodules = [\"file\"]\nreason = \"\"\n[[limit]]\nhandles = -1\n";
        let file = scratch.file("bad.toml", text);
        let name = file.display();
        let expected = [
            format!("{name}:3:10: error: there is no command 'guest-pnig', did you mean 'guest-ping'?"),
            format!("{name}:10:11: error: 'handles' is 0 to 100000, not -1"),
        ];
        assert_eq!(check(&file), expected);
    }

    #[test]
    fn a_file_that_the_agent_would_refuse_is_read_for_now() {
        let scratch = Scratch::new("check-writable");
        let file = scratch.file("policy.toml", "version = 1\nprofile = \"minimal\"\n");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
        let found = check(&file);
        assert!(
            found.len() == 1 && found[0].contains(": hint: where it lies the agent would not read it: "),
            "{found:?}"
        );
        let mut reading = Reading::default();
        reading.installed(&file, true);
        let found = testing::lines(&reading.finish(&file, &Known::built_in()));
        assert!(found.len() == 1 && found[0].contains(": error: "), "the installed one is refused: {found:?}");
    }
}
