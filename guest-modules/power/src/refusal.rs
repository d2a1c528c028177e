//! Who stands behind a refusal of systemd's. What its programs print where nobody sits at a terminal is "Access denied",
//! whether a program has taken a lock against it (systemd-inhibit(1)) or the owner has masked the target.

use crate::bindings::bulkhead::agent::system_files;
use bulkhead_module::{CommandError, ProgramError};

/// Where logind has a file for each lock.
const LOCKS: &str = "/run/systemd/inhibit";

/// Where a link to nothing masks a unit of systemd's.
const MASKS: [&str; 2] = ["/etc/systemd/system", "/run/systemd/system"];

/// How many locks are told of. Desktops have a handful; the sentence is for a person to read.
const TOLD: usize = 8;

/// What was to be done.
#[derive(Clone, Copy, Debug)]
pub struct Deed {
    /// What a lock against it says: `shutdown` or `sleep`.
    pub lock: &'static str,
    /// The targets of systemd that it needs.
    pub targets: &'static [&'static str],
}

/// The error of a tool that was to `what`, with who stands behind it if that can be told.
pub fn explained(what: &str, deed: Deed, error: &ProgramError) -> CommandError {
    let mut told = CommandError::program(what, error);
    if matches!(error, ProgramError::Exited(_)) {
        let mut reasons = locks(deed.lock);
        reasons.extend(mask(deed.targets));
        for reason in reasons {
            if !told.desc.ends_with('\n') {
                told.desc.push('\n');
            }
            told.desc.push_str(&reason);
        }
    }
    told
}

/// The locks against it.
fn locks(against: &str) -> Vec<String> {
    let names = system_files::entries(LOCKS.as_bytes()).unwrap_or_default();
    // Beside each file there is a FIFO, NAME.ref, by which logind sees the lock end.
    let files = names.iter().filter(|name| !name.ends_with(b".ref"));
    let texts = files.filter_map(|name| system_files::read(&[LOCKS.as_bytes(), b"/", name].concat()).ok());
    texts.filter_map(|text| lock(&String::from_utf8_lossy(&text), against)).take(TOLD).collect()
}

/// The lock that a file tells of, if it blocks; others only delay, or give way to root.
fn lock(text: &str, against: &str) -> Option<String> {
    let value = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    let is_against = value("WHAT")?.split(':').any(|what| what == against);
    if !is_against || value("MODE") != Some("block") {
        return None;
    }
    let [who, why, pid] = ["WHO", "WHY", "PID"].map(|name| value(name).unwrap_or("?"));
    Some(format!("inhibited by \"{who}\" (PID {pid}): {why}\n"))
}

/// The first of these targets that the owner has masked.
fn mask(targets: &[&str]) -> Option<String> {
    let is_masked = |target: &&&str| {
        let link = |folder: &&str| system_files::resolve(format!("{folder}/{target}").as_bytes());
        MASKS.iter().any(|folder| link(folder).is_ok_and(|path| path == b"/dev/null"))
    };
    targets.iter().find(is_masked).map(|target| format!("{target} is masked\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As logind 257 writes it.
    const FILE: &str = "# This is private data. Do not parse.\nWHAT=shutdown:sleep\nMODE=block\nUID=0\nPID=388\nWHO=Backup\n\
                        WHY=copying\nFIFO=/run/systemd/inhibit/1.ref\n";

    #[test]
    fn who_blocks_has_a_name_and_a_reason() {
        let told = Some("inhibited by \"Backup\" (PID 388): copying\n".to_owned());
        assert_eq!(lock(FILE, "shutdown"), told);
        assert_eq!(lock(FILE, "sleep"), told);
        assert_eq!(
            lock(&FILE.replace("WHY=copying", ""), "sleep").as_deref(),
            Some("inhibited by \"Backup\" (PID 388): ?\n")
        );
    }

    #[test]
    fn what_does_not_block_is_not_told() {
        for other in ["MODE=delay", "MODE=block-weak", "MODE=", ""] {
            assert_eq!(lock(&FILE.replace("MODE=block", other), "sleep"), None, "{other}");
        }
        for other in ["WHAT=idle", "WHAT=handle-lid-switch:sleepy", "WHAT=", ""] {
            assert_eq!(lock(&FILE.replace("WHAT=shutdown:sleep", other), "sleep"), None, "{other}");
        }
        assert_eq!(lock("", "sleep"), None);
    }
}
