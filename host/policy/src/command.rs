//! Rules about commands.

use crate::error::{Origin, PolicyError, suggestion};
use crate::names::{command_fault, covers};
use crate::table::Table;
use std::time::Duration;

/// The longest time over which calls are counted, in seconds: an hour. Whoever counts keeps the time of each call for so
/// long.
pub(crate) const LONGEST_PACE: i64 = 3600;

/// The most calls that a pace may let through. It bounds what whoever counts has to keep.
const MOST_CALLS: i64 = 10_000;

/// A rule about some commands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandRule {
    /// Names of commands; one that ends in `*` stands for all that begin so.
    pub names: Vec<String>,
    /// What it says of them.
    pub mode: Mode,
    /// When it says so.
    pub when: When,
    /// With `deny` only: it says so as long as they come faster than this.
    pub faster_than: Option<Pace>,
    /// Why the owner wants it.
    pub reason: Option<String>,
    /// Where it stands.
    pub origin: Origin,
}

/// What a rule says of a command. The later one wins over those before it, wherever the rules stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mode {
    /// It runs, and what the grants would deny it is allowed and logged.
    Observe,
    /// It runs, and does what the grants permit.
    Enforce,
    /// It does not run.
    Deny,
}

/// In which state of the agent a rule holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// In both.
    Always,
    /// While file systems are frozen.
    Frozen,
    /// While they are not.
    Thawed,
}

/// So many calls in so much time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Calls, at least 1.
    pub calls: u32,
    /// The time, a second to an hour.
    pub within: Duration,
}

/// What a policy says of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommandVerdict<'a> {
    /// What to do.
    pub mode: Mode,
    /// The rule that decides; none if no rule speaks of the command, which denies it.
    pub rule: Option<&'a CommandRule>,
}

impl CommandRule {
    /// Reads a `[[command]]`. `known` are the commands that there are.
    pub(crate) fn read(mut table: Table<'_>, known: &[&str]) -> Result<Self, PolicyError> {
        let mut names = Vec::new();
        for (name, item) in table.required("names")?.texts()? {
            if let Some(fault) = command_fault(name, known) {
                return Err(item.error(fault));
            }
            names.push(name.to_owned());
        }
        let mode = table.required("mode")?;
        let mode = match mode.text()? {
            "enforce" => Mode::Enforce,
            "observe" => Mode::Observe,
            "deny" => Mode::Deny,
            other => {
                let meant = suggestion(other, ["enforce", "observe", "deny"]);
                return Err(mode.error(format!("'mode' is enforce, observe or deny, not '{other}'{meant}")));
            }
        };
        let when = match table.take("while") {
            None => When::Always,
            Some(item) => match item.text()? {
                "frozen" => When::Frozen,
                "thawed" => When::Thawed,
                other => return Err(item.error(format!("'while' is frozen or thawed, not '{other}'"))),
            },
        };
        let faster_than = match table.take("faster-than") {
            None => None,
            Some(item) if mode != Mode::Deny => {
                return Err(item.error("'faster-than' goes with mode = \"deny\": it says when to deny"));
            }
            Some(item) => Some(pace(item.table()?)?),
        };
        let reason = table.take("reason").map(|item| item.text().map(str::to_owned)).transpose()?;
        let origin = table.origin();
        table.finish()?;
        Ok(CommandRule { names, mode, when, faster_than, reason, origin })
    }

    /// Whether it speaks of `command` in this state, at whatever pace.
    pub fn concerns(&self, command: &str, frozen: bool) -> bool {
        let state = match self.when {
            When::Always => true,
            When::Frozen => frozen,
            When::Thawed => !frozen,
        };
        state && self.names.iter().any(|name| covers(name, command))
    }

    /// Whether it speaks of the frozen state alone, and of `command` by its name or by that of its vendor.
    pub(crate) fn names_while_frozen(&self, command: &str) -> bool {
        let is_named = |name: &String| name.len() > "__*".len() && name.starts_with("__") && covers(name, command);
        self.when == When::Frozen && self.names.iter().any(is_named)
    }

    /// Whether it speaks of `command` in this state and at this pace. `calls` tells how often the command came within a time
    /// until now.
    pub(crate) fn holds(&self, command: &str, frozen: bool, calls: impl Fn(Duration) -> u32) -> bool {
        let fast = || self.faster_than.is_none_or(|pace| calls(pace.within) >= pace.calls);
        self.concerns(command, frozen) && fast()
    }
}

fn pace(mut table: Table<'_>) -> Result<Pace, PolicyError> {
    let mut number =
        |name, most| table.required(name)?.between(1, most).map(|number| u32::try_from(number).unwrap_or(u32::MAX));
    let (calls, seconds) = (number("calls", MOST_CALLS)?, number("seconds", LONGEST_PACE)?);
    table.finish()?;
    Ok(Pace { calls, within: Duration::from_secs(seconds.into()) })
}
