//! What the policy denied, for the owner: which rule, and what would allow it. The client learns neither.

use crate::commands::Command;
use bulkhead_gate::{Judgement, Judgements};
use std::time::{Duration, Instant};

/// How many denials are logged in [`PERIOD`]. An owner who tries out a policy sees each; it bounds what a client that goes on
/// asking for what it may not have writes to the owner's disk. The audit has them all.
const LINES: u32 = 60;

/// After this time another [`LINES`] are logged, and how many were not.
const PERIOD: Duration = Duration::from_secs(60);

/// How many denials were logged lately.
#[derive(Debug, Default)]
pub(crate) struct Denials {
    since: Option<Instant>,
    lines: u32,
    lost: u32,
}

impl Denials {
    /// Logs what was denied while `command` ran.
    pub(crate) fn tell(&mut self, command: &Command, judgements: &Judgements) {
        for denied in judgements.list.iter().filter(|judgement| !judgement.allowed) {
            if self.has_room(Instant::now()) {
                tracing::warn!("{}: {}", command.name, line(denied));
            }
        }
    }

    fn has_room(&mut self, now: Instant) -> bool {
        if self.since.is_none_or(|since| now - since >= PERIOD) {
            if self.lost > 0 {
                tracing::warn!("{} more denials were not logged", self.lost);
            }
            *self = Denials { since: Some(now), lines: 0, lost: 0 };
        }
        let has_room = self.lines < LINES;
        *(if has_room { &mut self.lines } else { &mut self.lost }) += 1;
        has_room
    }
}

/// One line: what may not be, by which rule, and the permit in the form that TOML has for one line.
fn line(denied: &Judgement) -> String {
    let by = match (&denied.rule, &denied.permit) {
        (Some(rule), _) => format!("forbidden by {rule}"),
        (None, Some(permit)) => {
            let permit = permit.trim_end().replace('\n', ", ");
            format!("no rule permits it; this would: permit = [{{ {permit} }}]")
        }
        (None, None) => "no rule permits it".to_owned(),
    };
    format!("the policy denies module {} {}: {by}", denied.module, denied.capability)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bulkhead_gate::Capability;

    #[test]
    fn a_line_says_what_would_allow_it() {
        let permit = "capability = \"clock\"\nmodules = [\"time\"]\nreason = \"\"\n".to_owned();
        let denied = Judgement {
            module: "time".to_owned(),
            capability: Capability::Clock,
            allowed: false,
            rule: None,
            permit: Some(permit),
            times: 1,
        };
        let said = "the policy denies module time clock: no rule permits it; this would: \
                    permit = [{ capability = \"clock\", modules = [\"time\"], reason = \"\" }]";
        assert_eq!(line(&denied), said);
    }

    #[test]
    fn a_client_that_goes_on_asking_does_not_fill_the_log() {
        let (mut denials, begin) = (Denials::default(), Instant::now());
        let logged = |denials: &mut Denials, at| (0..100).filter(|_| denials.has_room(at)).count();
        assert_eq!(logged(&mut denials, begin), 60);
        assert_eq!(logged(&mut denials, begin + PERIOD / 2), 0);
        assert_eq!(denials.lost, 140);
        assert_eq!(logged(&mut denials, begin + PERIOD), 60);
    }
}
