//! The files of the policy.

use bulkhead_catalog::{commands, modules};
use bulkhead_policy::{Document, Policy, PolicyError, Profile};
use bulkhead_trust::TrustError;
use nix::errno::Errno;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Where the policy is, unless the option `--policy` says otherwise.
pub const DEFAULT_POLICY: &str = "/etc/bulkhead/policy.toml";

/// Where the policy is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyFiles {
    /// The file. Beside it, in the folder `policy.d`, lie the drop-ins.
    pub file: PathBuf,
    /// Whether the file must be there: whether it was named.
    pub required: bool,
    /// The profile that is in force if neither the file is there nor a drop-in that names another. Drop-ins go on top of it.
    pub fallback: &'static Profile,
}

/// A policy, and what it was read from.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The policy.
    pub policy: Policy,
    /// The files, in the order in which they were read. Empty for a profile alone.
    pub files: Vec<PathBuf>,
    /// The SHA-256 of the policy in its canonical form, in hexadecimal. What decides the same has the same digest, whatever
    /// files it comes from.
    pub digest: String,
}

/// Why there is no policy.
#[derive(Debug, Error)]
pub enum PolicyFilesError {
    /// A file or folder is not read.
    #[error(transparent)]
    Untrusted(#[from] TrustError),
    /// What a file says is no policy.
    #[error(transparent)]
    Policy(#[from] PolicyError),
}

impl PolicyFiles {
    /// Where an agent looks that was started as `program`, with the option `--policy` or without. As `qemu-ga`, and without a
    /// policy, it is a drop-in: all that qemu-ga allows is allowed.
    pub fn of(program: &str, named: Option<&Path>) -> Self {
        PolicyFiles {
            file: named.unwrap_or(Path::new(DEFAULT_POLICY)).to_owned(),
            required: named.is_some(),
            fallback: the_profile(if is_drop_in(program) { "full" } else { "standard" }),
        }
    }

    /// Reads them all.
    pub fn load(&self) -> Result<Loaded, PolicyFilesError> {
        let (commands, modules) = (commands::names(), modules::names());
        let (mut documents, mut files) = (Vec::new(), Vec::new());
        let file = bulkhead_trust::read(&self.file)?;
        if file.is_none() && self.required {
            return Err(missing(&self.file).into());
        }
        let has_file = file.is_some();
        let mut texts: Vec<_> = file.into_iter().map(|text| (self.file.clone(), text)).collect();
        for path in bulkhead_trust::drop_ins(&self.file.with_file_name("policy.d"))? {
            let text = bulkhead_trust::read(&path)?.ok_or_else(|| missing(&path))?;
            texts.push((path, text));
        }
        for (path, text) in texts {
            documents.push(Document::parse(&path.to_string_lossy(), &text, &commands, &modules)?);
            files.push(path);
        }
        if !has_file && documents.iter().all(|document| document.profile.is_none()) {
            let text = format!("version = 1\nprofile = \"{}\"\n", self.fallback.name);
            documents.push(Document::parse("default", &text, &commands, &modules)?);
        }
        let policy = Policy::merge(documents, &commands, &modules)?;
        Ok(Loaded { digest: digest(&policy), policy, files })
    }
}

fn missing(path: &Path) -> TrustError {
    TrustError::Unreadable { path: path.to_owned(), source: Errno::ENOENT.into() }
}

/// The SHA-256 of the policy's canonical form, in hexadecimal.
pub fn digest(policy: &Policy) -> String {
    bulkhead_store::digest::of(policy.canonical().as_bytes())
}

/// Whether an agent that was started as `program` takes the place of qemu-ga.
pub fn is_drop_in(program: &str) -> bool {
    Path::new(program).file_name().is_some_and(|name| name == "qemu-ga")
}

/// A profile of the package as a policy.
pub fn profile(name: &str) -> Policy {
    // The profiles are part of this program, and its tests read them all.
    #[expect(clippy::expect_used, reason = "what the build made cannot be wrong at run time")]
    Policy::of_profile(the_profile(name), &commands::names(), &modules::names()).expect("a profile is sound")
}

fn the_profile(name: &str) -> &'static Profile {
    #[expect(clippy::expect_used, reason = "called with the names of profiles that there are")]
    Profile::named(name).expect("there is such a profile")
}

#[cfg(test)]
mod tests {
    use super::*;
    use bulkhead_policy::Mode;
    use bulkhead_test_support::Scratch;

    const SAMPLE: &str = include_str!("../../dist/policy.toml");

    const PING: &str = "version = 1\n[[command]]\nnames = [\"guest-ping\"]\nmode = \"enforce\"\n";

    fn of(scratch: &Scratch, program: &str) -> PolicyFiles {
        PolicyFiles { required: false, ..PolicyFiles::of(program, Some(&scratch.path().join("policy.toml"))) }
    }

    fn permits(loaded: &Loaded, command: &str) -> bool {
        loaded.policy.command(command, false, |_| 0).mode != Mode::Deny
    }

    #[test]
    fn without_a_file_the_name_of_the_program_decides() {
        let scratch = Scratch::new("no-file");
        let full = of(&scratch, "/usr/sbin/qemu-ga").load().unwrap();
        assert!(permits(&full, "guest-exec") && full.files.is_empty());
        let standard = of(&scratch, "bulkhead-agent").load().unwrap();
        assert!(!permits(&standard, "guest-exec") && permits(&standard, "guest-fsfreeze-freeze"));
        assert_eq!(standard.digest, digest(&profile("standard")));
        assert_ne!(standard.digest, full.digest);
        let named = PolicyFiles { required: true, ..of(&scratch, "bulkhead-agent") };
        let error = format!("{:#}", anyhow::Error::new(named.load().unwrap_err()));
        let said = format!("cannot read {}: No such file or directory", named.file.display());
        assert!(error.starts_with(&said), "{error}");
    }

    #[test]
    fn a_file_stands_for_itself_and_drop_ins_add_to_it() {
        let scratch = Scratch::new("drop-ins");
        let file = scratch.file("policy.toml", PING);
        let folder = scratch.folder("policy.d");
        let loaded = of(&scratch, "qemu-ga").load().unwrap();
        assert!(permits(&loaded, "guest-ping") && !permits(&loaded, "guest-info"), "no profile is added to it");
        let drop_in = folder.join("time.toml");
        std::fs::write(&drop_in, PING.replace("guest-ping", "guest-get-time")).unwrap();
        let loaded = of(&scratch, "bulkhead-agent").load().unwrap();
        assert!(permits(&loaded, "guest-get-time"));
        assert_eq!(loaded.files, [file.clone(), drop_in]);
        std::fs::remove_file(file).unwrap();
        let loaded = of(&scratch, "bulkhead-agent").load().unwrap();
        assert!(permits(&loaded, "guest-info"), "without the file they go on top of the default");
    }

    #[test]
    fn a_drop_in_may_name_the_profile_if_there_is_no_file() {
        let scratch = Scratch::new("profile");
        std::fs::write(scratch.folder("policy.d").join("only.toml"), "version = 1\nprofile = \"minimal\"\n").unwrap();
        assert_eq!(of(&scratch, "qemu-ga").load().unwrap().digest, digest(&profile("minimal")));
    }

    #[test]
    fn the_sample_as_shipped_is_what_holds_without_it_and_its_examples_are_sound() {
        let scratch = Scratch::new("sample");
        scratch.file("policy.toml", SAMPLE);
        assert_eq!(of(&scratch, "qemu-ga").load().unwrap().digest, digest(&profile("standard")));
        // Prose has a blank behind the #.
        let code = |line: &'static str| {
            line.strip_prefix('#').filter(|rest| rest.starts_with(|c: char| c.is_ascii_lowercase() || c == '['))
        };
        let uncommented: Vec<&str> = SAMPLE.lines().map(|line| code(line).unwrap_or(line)).collect();
        scratch.file("policy.toml", &uncommented.join("\n"));
        let all = of(&scratch, "bulkhead-agent").load().unwrap();
        assert!(permits(&all, "guest-exec") && permits(&all, "guest-file-read") && !permits(&all, "guest-get-users"));
        assert_eq!(all.policy.limits.len(), 1);
        assert!(permits(&all, "__com.example_run") && all.policy.module("file").may_replace);
    }

    #[test]
    fn one_bad_file_is_no_policy_at_all() {
        let scratch = Scratch::new("bad");
        scratch.file("policy.toml", PING);
        std::fs::write(scratch.folder("policy.d").join("bad.toml"), "version = 1\ncolour = 1\n").unwrap();
        let error = of(&scratch, "bulkhead-agent").load().unwrap_err().to_string();
        assert!(error.contains("policy.d/bad.toml:2:1: "), "{error}");
    }
}
