//! Which commands act, and what the log says of them: for who looks into the system's log what was done to the machine.
//!
//! Whether a command has acted is seen by what it has asked the gate for, so that a vendor's command is told of like a built-in one.

use crate::auditing::spoken;
use crate::logging::ACT;
use crate::rulings::{By, Ruling};
use bulkhead_audit::Kind;
use bulkhead_border::request::Shown;
use bulkhead_catalog::commands::Command;
use bulkhead_catalog::{Capability, worlds};
use bulkhead_gate::{Judgement, Judgements};

/// The capabilities by which something is changed, or reached that is somebody's own.
const ACTS: [Capability; 8] = [
    Capability::Files,
    Capability::Freezer,
    Capability::Trimmer,
    Capability::Power,
    Capability::Processes,
    Capability::ClockSetting,
    Capability::Hotplug,
    Capability::Accounts,
];

/// Commands that act and ask nobody: a thaw is always allowed.
const UNASKED: &str = "guest-fsfreeze-thaw";

/// A command that acts on what another has opened: there may be thousands of it for one file, so that the log has the opening only.
const WRITE: &str = "guest-file-write";

/// Whether `command` may have changed something, by what the policy has allowed or only observed. What tells something has `-get-`
/// in its name, whatever it needs for that.
fn has_acted(command: &Command, ruling: &Ruling, judgements: &Judgements) -> bool {
    let observed = ruling.mode == bulkhead_policy::Mode::Observe;
    let asked = judgements.list.iter().filter(|judgement| judgement.allowed || observed);
    let tells = command.installed.is_none() && command.name.contains("-get-");
    command.name == UNASKED || !tells && asked.into_iter().any(|judgement| ACTS.contains(&judgement.capability))
}

/// What the line of the audit about a command is about.
pub(crate) fn kind(command: &Command, ruling: &Ruling, judgements: &Judgements, outcome: &str) -> Kind {
    match outcome {
        // A module that broke may have acted before.
        "ok" | "failed" if command.name == WRITE => Kind::Files,
        "ok" | "failed" if has_acted(command, ruling, judgements) => {
            let is_files = |judgement: &Judgement| judgement.capability == Capability::Files;
            let only_files = command.name != UNASKED && judgements.list.iter().all(is_files);
            if only_files { Kind::Files } else { Kind::Acted }
        }
        "ok" | "failed" => Kind::Read,
        _ => Kind::Failed,
    }
}

/// Whether `command` may act at all, so that the log may have to tell of its arguments.
pub(crate) fn may_act(command: &Command) -> bool {
    let acts = |capability: &Capability| match command.installed {
        Some(installed) => installed.imports.contains(&capability.name()),
        None => worlds::may_import(command.module, *capability),
    };
    let tells = command.installed.is_none() && command.name.contains("-get-");
    command.name != WRITE && !tells && ACTS.iter().any(acts)
}

/// Tells the log of a command that has acted, or has tried to, and is of this kind.
pub(crate) fn tell(
    command: &Command,
    ruling: &Ruling,
    judgements: &Judgements,
    kind: Kind,
    arguments: &[(String, Shown)],
    outcome: &str,
) {
    if has_acted(command, ruling, judgements) {
        let (name, words) = (command.name, spoken(command.name, command.installed, arguments));
        // Each from a place of its own: what fails, or opens files, takes no room from what has acted.
        match kind {
            Kind::Acted => tracing::info!(target: ACT, "{name} called{words}: {outcome}"),
            Kind::Files => tracing::info!(target: ACT, "{name} called{words}: {outcome}"),
            _ => tracing::info!(target: ACT, "{name} called{words}: {outcome}"),
        }
    }
}

/// Tells the log of a command that did not run.
pub(crate) fn tell_refusal(command: &Command, ruling: &Ruling) {
    let why = match &ruling.by {
        By::NoRule => "no rule of the policy permits it".to_owned(),
        By::NoGrant => "a rule permits it, but nothing that it cannot do without is granted".to_owned(),
        By::Rule(origin) => format!("by the rule {origin}"),
        By::Lists => "by the list block-rpcs or allow-rpcs".to_owned(),
        By::Frozen => "it cannot run while file systems are frozen".to_owned(),
        By::Module => format!("its module {} cannot be loaded", command.module),
        // These refuse nothing, or no command that there is.
        By::Thaw | By::Unknown => ruling.by.to_string(),
    };
    tracing::warn!("{} refused: {why}", command.name);
}

#[cfg(test)]
mod tests {
    use super::*;
    use bulkhead_catalog::commands::find;
    use bulkhead_policy::Mode;

    fn judged(capability: Capability, allowed: bool) -> Judgements {
        let judgement =
            Judgement { module: String::new(), capability, allowed, rule: None, permit: None, beyond: None, times: 1 };
        Judgements { list: vec![judgement], ..Judgements::default() }
    }

    fn kind_of(command: &str, judgements: &Judgements, outcome: &str) -> Kind {
        kind(find(command).unwrap(), &Ruling { mode: Mode::Enforce, by: By::NoRule }, judgements, outcome)
    }

    #[test]
    fn what_has_acted_is_told_from_what_has_only_told_something() {
        let nothing = Judgements::default();
        let processes = judged(Capability::Processes, true);
        assert_eq!(kind_of("guest-exec", &processes, "ok"), Kind::Acted);
        assert_eq!(kind_of("guest-exec", &processes, "failed"), Kind::Acted);
        assert_eq!(kind_of("guest-exec", &processes, "GenericError"), Kind::Failed);
        assert_eq!(kind_of("guest-exec", &judged(Capability::Processes, false), "ok"), Kind::Read);
        assert_eq!(kind_of("guest-fsfreeze-thaw", &nothing, "ok"), Kind::Acted);
        assert_eq!(kind_of("guest-file-write", &nothing, "ok"), Kind::Files);
        assert_eq!(kind_of("guest-file-open", &judged(Capability::Files, true), "ok"), Kind::Files);
        for tells in ["guest-ping", "guest-exec-status", "guest-file-read", "guest-fsfreeze-status"] {
            assert_eq!(kind_of(tells, &nothing, "ok"), Kind::Read, "{tells}");
        }
        assert_eq!(kind_of("guest-ssh-get-authorized-keys", &judged(Capability::Accounts, true), "ok"), Kind::Read);
        assert_eq!(kind_of("guest-get-fsinfo", &judged(Capability::Mounts, true), "ok"), Kind::Read);
    }
}
