//! What a policy names and this machine does not have.

use super::Finding;
use super::wide::texts;
use bulkhead_policy::{Effect, Grant, Policy};
use nix::unistd::User;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

pub(super) fn look(policy: &Policy) -> Vec<Finding> {
    look_among(policy, &mount_points())
}

fn look_among(policy: &Policy, mounted: &[String]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for grant in &policy.grants {
        let hints = trees(grant).chain(programs(grant)).chain(users(grant)).chain(mounts(grant, mounted));
        findings.extend(hints.map(|message| Finding::hint(&grant.origin, message)));
        findings.extend(replaceable(grant).map(|message| Finding::warning(&grant.origin, message)));
    }
    findings
}

fn trees(grant: &Grant) -> impl Iterator<Item = String> {
    texts(grant, "trees").filter_map(|tree| match fs::canonicalize(tree) {
        Err(error) if error.kind() == ErrorKind::NotFound => Some(format!("there is no '{tree}' on this machine")),
        Ok(real) if real != Path::new(tree) => Some(format!("'{tree}' is a link, to '{}'", real.display())),
        _ => None,
    })
}

fn programs(grant: &Grant) -> impl Iterator<Item = String> {
    texts(grant, "programs").filter(|program| *program != "*").filter_map(|program| match fs::canonicalize(program) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            Some(format!("there is no program '{program}' on this machine"))
        }
        Ok(real) if real != Path::new(program) && grant.effect == Effect::Forbid => Some(format!(
            "'{program}' is a link: what it leads to is forbidden by whatever name, here '{}'",
            real.display()
        )),
        Ok(real) if real != Path::new(program) => {
            let real = real.display();
            Some(format!("'{program}' is a link: a program is known by the file it is in the end, here '{real}'"))
        }
        _ => None,
    })
}

/// Programs that a client may run and others than root can exchange: then they choose what runs.
fn replaceable(grant: &Grant) -> impl Iterator<Item = String> {
    let permitted = texts(grant, "programs").filter(|_| grant.effect == Effect::Permit);
    let user = grant.user("run-as").unwrap_or("root");
    let is_their_own = move |path: &Path| {
        let owner = User::from_name(user).ok().flatten();
        owner.is_some_and(|owner| {
            path.metadata().is_ok_and(|it| it.uid() == owner.uid.as_raw() && it.mode() & 0o022 == 0)
        })
    };
    permitted.filter(|program| *program != "*").filter_map(move |program| {
        let path = Path::new(program);
        let error = bulkhead_trust::check_file(path).err().filter(|_| path.exists())?;
        // Whom it runs as may write it: nobody gains by that, if only root could put another in its place.
        if user != "root" && is_their_own(path) {
            return None;
        }
        let error = anyhow::Error::from(error);
        Some(format!("users other than root can replace '{program}', which runs as {user}: {error:#}"))
    })
}

fn users(grant: &Grant) -> impl Iterator<Item = String> {
    let names = texts(grant, "users").filter(|user| *user != "*").chain(grant.user("run-as"));
    names
        .filter(|user| matches!(User::from_name(user), Ok(None)))
        .map(|user| format!("there is no user '{user}' on this machine"))
}

fn mounts(grant: &Grant, mounted: &[String]) -> impl Iterator<Item = String> {
    let missing = |point: &&str| *point != "*" && !mounted.is_empty() && !mounted.iter().any(|it| it == point);
    texts(grant, "mount-points").filter(missing).map(|point| format!("nothing is mounted at '{point}' on this machine"))
}

/// Where something is mounted; nothing if the kernel does not say.
fn mount_points() -> Vec<String> {
    let table = fs::read("/proc/self/mountinfo").unwrap_or_default();
    String::from_utf8_lossy(&table).lines().filter_map(|line| line.split(' ').nth(4)).map(plain).collect()
}

/// A field of the table with the characters that the kernel writes as \040 and the like.
fn plain(field: &str) -> String {
    let mut pieces = field.split('\\');
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let code = piece.get(..3).and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match code {
            Some(code) => {
                text.push(char::from(code));
                text += &piece[3..];
            }
            None => text += piece,
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::testing::{grant, lines, policy};
    use super::*;
    use bulkhead_test_support::Scratch;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn told(rule: &str) -> Vec<String> {
        let all = lines(&look_among(&policy(rule), &["/".to_owned()]));
        all.iter().map(|line| line.strip_prefix("p:2:1: hint: ").unwrap_or(line).to_owned()).collect()
    }

    #[test]
    fn what_is_not_here_is_told() {
        let exec = "modules = [\"exec\"]\nprograms = [\"/nowhere/x\", \"*\"]\nrun-as = \"nobody-of-here\"";
        assert_eq!(
            told(&grant("permit", "processes", exec)),
            ["there is no program '/nowhere/x' on this machine", "there is no user 'nobody-of-here' on this machine"]
        );
        let mounts = "mount-points = [\"/\", \"/nowhere\", \"*\"]";
        assert_eq!(told(&grant("forbid", "freezer", mounts)), ["nothing is mounted at '/nowhere' on this machine"]);
        assert_eq!(told(&grant("forbid", "accounts", "users = [\"root\", \"*\"]")), [""; 0]);
    }

    #[test]
    fn a_link_is_told_with_what_it_leads_to() {
        let scratch = Scratch::new("links");
        let folder = fs::canonicalize(scratch.path()).unwrap();
        let (file, link) = (folder.join("file"), folder.join("link"));
        fs::write(&file, "").unwrap();
        symlink("file", &link).unwrap();
        let tree = |path: &Path| told(&grant("forbid", "files", &format!("trees = [\"{}\"]", path.display())));
        assert_eq!(tree(&file), [""; 0]);
        assert_eq!(tree(&link), [format!("'{}' is a link, to '{}'", link.display(), file.display())]);
        let program = told(&grant("forbid", "processes", &format!("programs = [\"{}\"]", link.display())));
        assert!(program[0].contains(" is a link: ") && program[0].ends_with(&format!("'{}'", file.display())));
    }

    #[test]
    fn a_program_that_others_can_exchange_is_told() {
        let scratch = Scratch::new("replaceable");
        let program = fs::canonicalize(scratch.file("program", "#!/bin/sh\n")).unwrap();
        let told = |mode: u32| {
            fs::set_permissions(&program, fs::Permissions::from_mode(mode)).unwrap();
            let lines = format!("modules = [\"exec\"]\nprograms = [\"{}\"]", program.display());
            lines_of(&grant("permit", "processes", &lines))
        };
        assert_eq!(told(0o755), [""; 0]);
        for mode in [0o777, 0o775] {
            let found = told(mode);
            assert!(
                found.len() == 1 && found[0].contains(": warning: users other than root can replace "),
                "{found:?}"
            );
        }
    }

    fn lines_of(rule: &str) -> Vec<String> {
        lines(&look_among(&policy(rule), &["/".to_owned()]))
    }

    #[test]
    fn blanks_in_the_kernel_s_table_are_read() {
        assert_eq!(plain("/mnt/my\\040disk\\134"), "/mnt/my disk\\");
        assert_eq!(plain("/mnt"), "/mnt");
    }
}
