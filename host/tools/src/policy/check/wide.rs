//! Rules that give away more than they seem to.

use super::Finding;
use super::programs::{self, is_open};
use bulkhead_catalog::commands;
use bulkhead_policy::{Effect, Grant, Mode, Policy, Value};
use std::path::Path;

/// Places to write in that make root of whoever may, and why: what lies there is run or believed by root. `true`: what lies
/// below it does too, folder by folder.
const WRITE: &[(&str, bool, &str)] = &[
    ("/bin", true, "programs that root runs lie there"),
    ("/boot", true, "what the machine starts with lies there"),
    ("/dev", true, "disks and memory are files there"),
    ("/etc", false, "what the system starts and whom it lets in stands there"),
    ("/etc/bulkhead", true, "this policy lies there"),
    ("/etc/cron.d", true, "what root runs stands there"),
    ("/etc/group", true, "who is an administrator stands there"),
    ("/etc/init.d", true, "what the system starts stands there"),
    ("/etc/ld.so.preload", true, "what every program loads stands there"),
    ("/etc/pam.d", true, "whom the system lets in stands there"),
    ("/etc/passwd", true, "who is root stands there"),
    ("/etc/profile", true, "what root's shell runs stands there"),
    ("/etc/profile.d", true, "what root's shell runs stands there"),
    ("/etc/shadow", true, "root's password stands there"),
    ("/etc/ssh", true, "whom the system lets in stands there"),
    ("/etc/sudoers", true, "who may become root stands there"),
    ("/etc/sudoers.d", true, "who may become root stands there"),
    ("/etc/systemd", true, "what the system starts stands there"),
    ("/etc/udev", true, "what root runs for devices stands there"),
    ("/home", true, "keys of users, and what their shells run, lie there"),
    ("/lib", true, "what root's programs load lies there"),
    ("/lib64", true, "what root's programs load lies there"),
    ("/proc", true, "the kernel is told there what to run"),
    ("/root", true, "root's keys, and what its shell runs, lie there"),
    ("/run/systemd", true, "what the system starts stands there"),
    ("/run/udev", true, "what root runs for devices stands there"),
    ("/sbin", true, "programs that root runs lie there"),
    ("/sys", true, "the kernel is told there what to do"),
    ("/usr/bin", true, "programs that root runs lie there"),
    ("/usr/lib", true, "what root's programs load lies there"),
    ("/usr/lib64", true, "what root's programs load lies there"),
    ("/usr/libexec", true, "programs that root runs lie there"),
    ("/usr/local/bin", true, "programs that root runs lie there"),
    ("/usr/local/lib", true, "what root's programs load lies there"),
    ("/usr/local/sbin", true, "programs that root runs lie there"),
    ("/usr/sbin", true, "programs that root runs lie there"),
    ("/var/spool/cron", true, "what root runs stands there"),
];

/// Places to read that hold secrets, and which.
const READ: &[(&str, &str)] = &[
    ("/dev", "the contents of all disks"),
    ("/etc/shadow", "the hashes of passwords"),
    ("/etc/ssh", "the machine's own keys"),
    ("/proc", "the memory and environment of programs"),
    ("/root", "root's own keys"),
    ("/home", "the keys of users"),
];

/// Variables that have a program run, or load, something else. What begins with `LD_` does too.
const VARIABLES: &[&str] = &[
    "*",
    "BASH_ENV",
    "ENV",
    "GCONV_PATH",
    "GLIBC_TUNABLES",
    "NODE_OPTIONS",
    "PATH",
    "PERL5LIB",
    "PERL5OPT",
    "PYTHONHOME",
    "PYTHONPATH",
    "PYTHONSTARTUP",
    "RUBYLIB",
    "RUBYOPT",
];

pub(super) fn look(policy: &Policy, policy_file: &Path) -> Vec<Finding> {
    let mut findings = Vec::new();
    for rule in policy.commands.iter().filter(|rule| rule.mode == Mode::Observe) {
        let message = "while a command is observed no grant holds it back: that is for learning, not for good";
        findings.push(Finding::warning(&rule.origin, message));
    }
    for permit in policy.grants.iter().filter(|grant| grant.effect == Effect::Permit) {
        match permit.shape.capability {
            "files" => findings.extend(files(permit, policy_file)),
            "processes" => findings.extend(processes(permit, policy)),
            "accounts" => findings.extend(accounts(permit)),
            _ => {}
        }
    }
    findings
}

/// Whether one command alone makes root of a client, with nothing forbidden of what it uses.
pub(super) fn is_root(policy: &Policy) -> bool {
    let all_of = [("guest-exec", "processes"), ("guest-file-write", "files"), ("guest-set-user-password", "accounts")];
    all_of.into_iter().any(|(name, capability)| {
        let runs = policy.command(name, false, |_| 0).mode != Mode::Deny;
        runs && commands::find(name).is_some_and(|command| policy.is_unrestricted(command.module, capability))
    })
}

fn files(permit: &Grant, policy_file: &Path) -> Vec<Finding> {
    let mut findings = Vec::new();
    for tree in texts(permit, "trees") {
        if writes(permit) {
            let path = Path::new(tree);
            // Who can write the policy, or put another folder in place of its own, decides what is permitted.
            let has_policy =
                policy_file.starts_with(path) || policy_file.parent().is_some_and(|it| path.starts_with(it));
            let place = WRITE.iter().find(|(place, below, _)| holds(tree, place) || (*below && holds(place, tree)));
            let message = match place {
                _ if tree == "/" => Some("who may write everywhere is root".to_owned()),
                _ if has_policy => Some(format!("who may write in '{tree}' makes the policy")),
                Some((place, _, why)) if holds(place, tree) => {
                    Some(format!("who may write in '{tree}' becomes root: {why}"))
                }
                Some((place, _, why)) => {
                    Some(format!("who may write in '{tree}' becomes root: think of {place}, {why}"))
                }
                None => None,
            };
            findings.extend(message.map(|message| Finding::warning(&permit.origin, message)));
        }
        if texts(permit, "access").any(|word| word == "read") {
            let secrets = READ.iter().filter(|(place, _)| holds(tree, place) || holds(place, tree));
            let secrets: Vec<_> = secrets.map(|(_, what)| *what).collect();
            if !secrets.is_empty() {
                let message = format!("who may read '{tree}' may read {}", secrets.join(", "));
                findings.push(Finding::warning(&permit.origin, message));
            }
        }
    }
    findings
}

fn processes(permit: &Grant, policy: &Policy) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut warn = |message: String| findings.push(Finding::warning(&permit.origin, message));
    let user = permit.user("run-as").unwrap_or("root");
    let as_good = format!("that is as good as all programs of {user}");
    for program in texts(permit, "programs") {
        let name = program.rsplit('/').next().unwrap_or(program);
        if program == "*" {
            warn(if user == "root" {
                "who may run every program is root".to_owned()
            } else {
                format!("who may run every program is {user}")
            });
        } else if let Some(does) = programs::danger(name).filter(|_| is_open(permit, name)) {
            warn(format!("'{program}' {does}, and its arguments are open: {as_good}"));
        }
        let writers = policy.grants.iter().filter(|it| it.shape.capability == "files" && it.effect == Effect::Permit);
        let mut writers = writers.filter(|it| writes(it) && texts(it, "trees").any(|tree| holds(tree, program)));
        if let Some(writer) = writers.next() {
            warn(format!("{} permits writing to '{program}', and this permits running it: {as_good}", writer.origin));
        }
    }
    let is_all = texts(permit, "programs").any(|program| program == "*");
    if permit.value("environment").is_none() && !is_all {
        let message = "a client may set any variable, such as LD_PRELOAD, and have the program do something else: \
                       environment = [] permits none";
        warn(message.to_owned());
    }
    let dangerous = |name: &&str| VARIABLES.contains(name) || name.starts_with("LD_");
    for name in texts(permit, "environment").filter(dangerous).filter(|_| !is_all) {
        warn(format!("with the variable '{name}' a client may have the program do something else: {as_good}"));
    }
    findings
}

fn accounts(permit: &Grant) -> Vec<Finding> {
    let user = texts(permit, "users").find(|user| matches!(*user, "*" | "root"));
    let deed = texts(permit, "may").find_map(|word| match word {
        "password" => Some("set the password"),
        "write-keys" => Some("replace the keys"),
        _ => None,
    });
    let (Some(user), Some(deed)) = (user, deed) else { return Vec::new() };
    let whose = if user == "*" { "every user, root included, is root" } else { "root is root" };
    vec![Finding::warning(&permit.origin, format!("who may {deed} of {whose}"))]
}

fn writes(permit: &Grant) -> bool {
    texts(permit, "access").any(|word| matches!(word, "write" | "append" | "create"))
}

/// Whether `tree` is `path` or has it below.
fn holds(tree: &str, path: &str) -> bool {
    Path::new(path).starts_with(tree)
}

pub(super) fn texts<'a>(grant: &'a Grant, key: &str) -> impl Iterator<Item = &'a str> {
    let texts = match grant.value(key) {
        Some(Value::Texts(texts)) => texts.as_slice(),
        _ => &[],
    };
    texts.iter().map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{grant, lines, policy};
    use super::*;

    fn told(rules: &str) -> Vec<String> {
        let all = lines(&look(&policy(rules), Path::new("/srv/owner/policy.toml")));
        all.iter().map(|line| line.strip_prefix("p:2:1: warning: ").unwrap_or(line).to_owned()).collect()
    }

    fn tree(tree: &str, access: &str) -> Vec<String> {
        told(&grant("permit", "files", &format!("modules = [\"file\"]\ntrees = [\"{tree}\"]\naccess = [\"{access}\"]")))
    }

    fn exec(lines: &str) -> Vec<String> {
        told(&grant("permit", "processes", &format!("modules = [\"exec\"]\n{lines}")))
    }

    #[test]
    fn writing_where_root_reads_is_being_root() {
        for safe in ["/var/log", "/srv/data", "/etc/motd", "/usr/share/doc"] {
            assert_eq!(tree(safe, "write"), [""; 0]);
        }
        assert_eq!(tree("/", "append"), ["who may write everywhere is root"]);
        assert_eq!(
            tree("/etc/pam.d/sshd", "write"),
            ["who may write in '/etc/pam.d/sshd' becomes root: whom the system lets in stands there"]
        );
        assert_eq!(
            tree("/usr", "create"),
            ["who may write in '/usr' becomes root: think of /usr/bin, programs that root runs lie there"]
        );
        for policy in ["/srv", "/srv/owner", "/srv/owner/policy.toml", "/srv/owner/policy.d"] {
            assert_eq!(tree(policy, "write"), [format!("who may write in '{policy}' makes the policy")]);
        }
        assert_eq!(tree("/etc", "truncate"), [""; 0], "it breaks the machine, but gives nobody power");
    }

    #[test]
    fn reading_secrets_is_told() {
        assert_eq!(
            tree("/etc", "read"),
            ["who may read '/etc' may read the hashes of passwords, the machine's own keys"]
        );
        assert_eq!(tree("/home/bob", "read"), ["who may read '/home/bob' may read the keys of users"]);
        assert_eq!(tree("/var/log", "read"), [""; 0]);
    }

    #[test]
    fn a_program_that_runs_others_is_all_programs() {
        let none = "environment = []\n";
        let all = "that is as good as all programs of root";
        assert_eq!(exec(&format!("{none}programs = [\"/usr/bin/uptime\"]")), [""; 0]);
        assert_eq!(exec("programs = [\"*\"]"), ["who may run every program is root"]);
        assert_eq!(exec("programs = [\"*\"]\nrun-as = \"bob\""), ["who may run every program is bob"]);
        let shell = format!("{none}programs = [\"/bin/bash\"]\n");
        let open = format!("'/bin/bash' runs what its arguments say, and its arguments are open: {all}");
        assert_eq!(exec(&shell), std::slice::from_ref(&open));
        assert_eq!(exec(&format!("{shell}arguments = [[\"-c\", \"*\"]]")), [open]);
        assert_eq!(exec(&format!("{shell}arguments = [[\"/usr/local/bin/backup.sh\"], []]")), [""; 0]);
        let python = exec(&format!("{none}programs = [\"/usr/bin/python3.12\"]\nrun-as = \"bob\""));
        assert!(python[0].ends_with("as good as all programs of bob"), "{python:?}");
    }

    #[test]
    fn a_variable_can_be_as_good_as_a_program() {
        let program = "programs = [\"/usr/bin/uptime\"]\n";
        assert!(exec(program)[0].starts_with("a client may set any variable, such as LD_PRELOAD"));
        assert_eq!(exec(&format!("{program}environment = [\"LANG\", \"LC_ALL\"]")), [""; 0]);
        let found = exec(&format!("{program}environment = [\"LD_AUDIT\", \"PATH\"]"));
        assert!(found.len() == 2 && found[0].starts_with("with the variable 'LD_AUDIT'"), "{found:?}");
    }

    #[test]
    fn a_program_that_may_be_written_is_any_program() {
        let files = grant("permit", "files", "modules = [\"file\"]\ntrees = [\"/srv/jobs\"]\naccess = [\"write\"]");
        let exec = grant("permit", "processes", "modules = [\"exec\"]\nprograms = [\"/srv/jobs/a\"]\nenvironment = []");
        let expected = "p:8:1: warning: p:2:1 permits writing to '/srv/jobs/a', and this permits running it: that is as \
                        good as all programs of root";
        assert_eq!(told(&(files + &exec)), [expected]);
    }

    #[test]
    fn the_password_of_root_is_root() {
        let accounts = |users: &str, may: &str| {
            told(&grant("permit", "accounts", &format!("modules = [\"account\"]\nusers = [{users}]\nmay = [{may}]")))
        };
        assert_eq!(accounts("\"bob\"", "\"password\""), [""; 0]);
        assert_eq!(accounts("\"*\"", "\"read-keys\""), [""; 0]);
        assert_eq!(accounts("\"root\"", "\"write-keys\""), ["who may replace the keys of root is root"]);
        assert_eq!(
            accounts("\"*\"", "\"password\""),
            ["who may set the password of every user, root included, is root"]
        );
    }

    #[test]
    fn observing_is_not_enforcing() {
        let found = told("[[command]]\nnames = [\"*\"]\nmode = \"observe\"\n");
        assert!(found.len() == 1 && found[0].starts_with("while a command is observed"), "{found:?}");
    }
}
