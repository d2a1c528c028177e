//! What the policy denied, for the owner: which rule, and what would allow it. The client learns neither.

use bulkhead_catalog::commands::Command;
use bulkhead_gate::{Beyond, Judgement, Judgements};
use bulkhead_policy::Mode;

/// Logs what was denied while `command` ran in this mode: of one request what the gate remembers of it, and of all requests as many
/// lines as one place may write in a minute. The audit has more of them.
pub(crate) fn tell(command: &Command, mode: Mode, judgements: &Judgements) {
    for denied in denied(judgements) {
        tracing::warn!("{}: {}", command.name, line(denied, mode));
    }
}

/// Those that were denials.
pub(crate) fn denied(judgements: &Judgements) -> impl Iterator<Item = &Judgement> {
    judgements.list.iter().filter(|judgement| !judgement.allowed)
}

/// One line: what may not be, by which rule, and the permit in the form that TOML has for one line.
fn line(denied: &Judgement, mode: Mode) -> String {
    let (module, capability) = (&denied.module, denied.capability);
    match &denied.beyond {
        None => {}
        Some(Beyond::Frozen) => {
            return format!("while file systems are frozen module {module} gets no {capability}, whatever permits it");
        }
        Some(Beyond::List) => {
            let what = denied.permit.iter().flat_map(|permit| permit.lines()).find(|line| line.starts_with("files = "));
            let what = what.map(|what| format!(" ({what})")).unwrap_or_default();
            return format!(
                "module {module} asked by {capability} for something that the agent gives it under no policy{what}"
            );
        }
    }
    let by = match (&denied.rule, &denied.permit) {
        (Some(rule), _) => format!("forbidden by {rule}"),
        (None, Some(permit)) => {
            let permit = permit.trim_end().replace('\n', ", ");
            format!("no rule permits it; this would: permit = [{{ {permit} }}]")
        }
        (None, None) => "no rule permits it".to_owned(),
    };
    let denies = if mode == Mode::Observe { "would deny (observed)" } else { "denies" };
    format!("the policy {denies} module {} {}: {by}", denied.module, denied.capability)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bulkhead_catalog::Capability;

    #[test]
    fn a_line_says_what_would_allow_it() {
        let permit = "capability = \"clock\"\nmodules = [\"time\"]\nreason = \"\"\n".to_owned();
        let denied = Judgement {
            module: "time".to_owned(),
            capability: Capability::Clock,
            allowed: false,
            rule: None,
            permit: Some(permit),
            beyond: None,
            times: 1,
        };
        let said = "module time clock: no rule permits it; this would: \
                    permit = [{ capability = \"clock\", modules = [\"time\"], reason = \"\" }]";
        assert_eq!(line(&denied, Mode::Enforce), format!("the policy denies {said}"));
        assert_eq!(line(&denied, Mode::Observe), format!("the policy would deny (observed) {said}"));
    }

    #[test]
    fn what_only_the_frozen_state_denies_no_permit_would_allow() {
        let denied = Judgement {
            module: "com.example.x".to_owned(),
            capability: Capability::Files,
            allowed: false,
            rule: None,
            permit: None,
            beyond: Some(Beyond::Frozen),
            times: 1,
        };
        let said = "while file systems are frozen module com.example.x gets no files, whatever permits it";
        assert_eq!(line(&denied, Mode::Enforce), said);
    }

    #[test]
    fn what_is_on_no_list_is_told_with_its_name() {
        let denied = Judgement {
            module: "com.example.x".to_owned(),
            capability: Capability::SystemFiles,
            allowed: false,
            rule: None,
            permit: Some("capability = \"system-files\"\nfiles = [\"/etc/hostname\"]\nreason = \"\"\n".to_owned()),
            beyond: Some(Beyond::List),
            times: 1,
        };
        let said = "module com.example.x asked by system-files for something that the agent gives it under no policy \
                    (files = [\"/etc/hostname\"])";
        assert_eq!(line(&denied, Mode::Enforce), said);
    }
}
