//! Programs with which a client can do what it likes if it may choose their arguments.

use bulkhead_policy::{Grant, Value};

/// What a program does that makes its arguments dangerous.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Danger {
    /// It runs what its arguments say: text, a file, another program.
    Runs,
    /// It writes where its arguments say.
    Writes,
    /// Its first argument says what it does; some of that is as bad.
    Obeys,
}

use Danger::{Obeys, Runs, Writes};

/// By the name of the file, without the version at its end.
const PROGRAMS: &[(&str, Danger)] = &[
    ("apt", Obeys),
    ("apt-get", Obeys),
    ("ash", Runs),
    ("at", Runs),
    ("awk", Runs),
    ("bash", Runs),
    ("busybox", Runs),
    ("chmod", Writes),
    ("chown", Writes),
    ("chroot", Runs),
    ("cp", Writes),
    ("crontab", Writes),
    ("dash", Runs),
    ("dd", Writes),
    ("dnf", Obeys),
    ("docker", Obeys),
    ("dpkg", Obeys),
    ("ed", Writes),
    ("env", Runs),
    ("expect", Runs),
    ("find", Runs),
    ("fish", Runs),
    ("gawk", Runs),
    ("gdb", Runs),
    ("git", Obeys),
    ("install", Writes),
    ("ksh", Runs),
    ("kubectl", Obeys),
    ("ld-linux-x86-64.so", Runs),
    ("ln", Writes),
    ("lua", Runs),
    ("luajit", Runs),
    ("make", Runs),
    ("mawk", Runs),
    ("mount", Writes),
    ("mv", Writes),
    ("nice", Runs),
    ("node", Runs),
    ("nohup", Runs),
    ("nsenter", Runs),
    ("passwd", Writes),
    ("perl", Runs),
    ("php", Runs),
    ("pip", Obeys),
    ("pkexec", Runs),
    ("podman", Obeys),
    ("pwsh", Runs),
    ("python", Runs),
    ("rpm", Obeys),
    ("rsync", Runs),
    ("ruby", Runs),
    ("runuser", Runs),
    ("sed", Runs),
    ("setpriv", Runs),
    ("setsid", Runs),
    ("sh", Runs),
    ("socat", Runs),
    ("ssh", Runs),
    ("stdbuf", Runs),
    ("strace", Runs),
    ("su", Runs),
    ("sudo", Runs),
    ("systemctl", Obeys),
    ("systemd-run", Runs),
    ("tar", Runs),
    ("tclsh", Runs),
    ("tee", Writes),
    ("time", Runs),
    ("timeout", Runs),
    ("unshare", Runs),
    ("useradd", Writes),
    ("usermod", Writes),
    ("vi", Runs),
    ("vim", Runs),
    ("wget", Writes),
    ("xargs", Runs),
    ("curl", Writes),
    ("yum", Obeys),
    ("zsh", Runs),
];

/// What a program of this name does that makes its arguments dangerous, if it does.
pub(super) fn danger(name: &str) -> Option<&'static str> {
    find(name).map(|danger| match danger {
        Runs => "runs what its arguments say",
        Writes => "writes where its arguments say",
        Obeys => "can run or install anything",
    })
}

/// Whether a permit leaves a client the choice of what the program of this name does.
pub(super) fn is_open(permit: &Grant, name: &str) -> bool {
    let Some(Value::Templates(templates)) = permit.value("arguments") else { return true };
    let is_choice = |word: &String| word == "*" || word == "**";
    templates.iter().any(|template| match find(name) {
        Some(Obeys) => template.first().is_some_and(is_choice),
        _ => template.iter().any(is_choice),
    })
}

fn find(name: &str) -> Option<Danger> {
    let base = name.trim_end_matches(|it: char| it.is_ascii_digit() || matches!(it, '.' | '-'));
    PROGRAMS.iter().find(|(known, _)| *known == base || *known == name).map(|(_, danger)| *danger)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_at_the_end_does_not_hide_it() {
        for name in ["python", "python3", "python3.12", "perl5.36.0", "lua5.4", "busybox", "ld-linux-x86-64.so.2"] {
            assert_eq!(danger(name), Some("runs what its arguments say"), "{name}");
        }
        for name in ["uptime", "python-config", "shutdown", ""] {
            assert_eq!(danger(name), None, "{name}");
        }
    }

    #[test]
    fn each_stands_once() {
        for (index, (name, _)) in PROGRAMS.iter().enumerate() {
            assert!(!PROGRAMS[..index].iter().any(|(other, _)| other == name), "{name}");
        }
    }
}
