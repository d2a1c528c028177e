//! Rules about what the compartments of modules may use.

use crate::error::{Origin, PolicyError};
use crate::grant;
use crate::table::Table;
use std::time::Duration;

/// The most memory that a rule may give a compartment, in bytes. The engine sets aside address space for so much.
const MOST_MEMORY: u64 = 64 << 20;

/// The longest time that a rule may let a compartment run: the next client waits for so long.
const LONGEST_DEADLINE: Duration = Duration::from_secs(600);

/// The most handles or children that a rule may give; above, the process would run out of descriptors.
const MOST_HANDLES: i64 = 100_000;

/// The most of programs' input and output that a rule may let the agent hold, in bytes: 1,024 programs are known at once, and
/// sixteen that fill both their streams are this much.
const MOST_BUFFERS: u64 = 512 << 20;

/// A rule about what the compartments of some modules may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitRule {
    /// The modules meant; none named: all.
    pub modules: Vec<String>,
    /// What they may use.
    pub limits: Limits,
    /// Why the owner wants it.
    pub reason: Option<String>,
    /// Where it stands.
    pub origin: Origin,
}

/// What the compartment of a module may use, as far as the owner says. What is not said is the agent's own to say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Its linear memory, in bytes.
    pub memory: Option<u64>,
    /// Processor time for one request.
    pub deadline: Option<Duration>,
    /// Files open at once.
    pub handles: Option<usize>,
    /// Programs running at once.
    pub children: Option<usize>,
    /// Input and output of programs that the agent holds, in bytes: what was not read yet, and what is kept.
    pub buffers: Option<u64>,
}

impl LimitRule {
    /// Reads a `[[limit]]`.
    pub(crate) fn read(mut table: Table<'_>, modules: &[&str]) -> Result<Self, PolicyError> {
        let named = table.take("modules").map(|item| grant::known(&item, modules)).transpose()?.unwrap_or_default();
        let mut limits = Limits::default();
        if let Some(item) = table.take("memory") {
            limits.memory = match item.size()? {
                bytes if bytes <= MOST_MEMORY => Some(bytes),
                _ => return Err(item.error(format!("'memory' is {}MiB at most", MOST_MEMORY >> 20))),
            };
        }
        if let Some(item) = table.take("deadline") {
            limits.deadline = match item.time()? {
                time if time <= LONGEST_DEADLINE => Some(time),
                _ => return Err(item.error(format!("'deadline' is {}s at most", LONGEST_DEADLINE.as_secs()))),
            };
        }
        let mut count = |name| {
            let count = table.take(name).map(|item| item.between(0, MOST_HANDLES)).transpose()?;
            Ok(count.and_then(|count| usize::try_from(count).ok()))
        };
        limits.handles = count("handles")?;
        limits.children = count("children")?;
        if let Some(item) = table.take("buffers") {
            limits.buffers = match item.size()? {
                bytes if bytes <= MOST_BUFFERS => Some(bytes),
                _ => return Err(item.error(format!("'buffers' is {}MiB at most", MOST_BUFFERS >> 20))),
            };
        }
        if limits == Limits::default() {
            return Err(table.error("a limit says at least one of memory, deadline, handles, children and buffers"));
        }
        let reason = table.take("reason").map(|item| item.text().map(str::to_owned)).transpose()?;
        let origin = table.origin();
        table.finish()?;
        Ok(LimitRule { modules: named, limits, reason, origin })
    }

    /// Whether it speaks of this module.
    pub(crate) fn concerns(&self, module: &str) -> bool {
        self.modules.is_empty() || self.modules.iter().any(|it| it == module)
    }
}

impl Limits {
    /// The narrower of both, limit by limit.
    pub(crate) fn narrowed(self, other: Limits) -> Limits {
        fn least<T: Ord>(one: Option<T>, other: Option<T>) -> Option<T> {
            one.into_iter().chain(other).min()
        }
        Limits {
            memory: least(self.memory, other.memory),
            deadline: least(self.deadline, other.deadline),
            handles: least(self.handles, other.handles),
            children: least(self.children, other.children),
            buffers: least(self.buffers, other.buffers),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Document, Policy};

    fn read(rules: &str) -> Result<Limits, PolicyError> {
        let document = Document::parse("p", &format!("version = 1\n{rules}"), &[], &["file", "exec"])?;
        Ok(Policy::merge([document], &[], &["file", "exec"])?.limits("file"))
    }

    #[test]
    fn the_narrowest_of_all_rules_counts() {
        let rules = "[[limit]]\nmemory = \"8MiB\"\nhandles = 3\n[[limit]]\nmodules = [\"file\"]\nmemory = \"4MiB\"\n\
                     deadline = \"2s\"\nbuffers = \"5MiB\"\n[[limit]]\nmodules = [\"exec\"]\nmemory = \"1MiB\"\nchildren = 0\n";
        let expected = Limits {
            memory: Some(4 << 20),
            deadline: Some(Duration::from_secs(2)),
            handles: Some(3),
            children: None,
            buffers: Some(5 << 20),
        };
        assert_eq!(read(rules), Ok(expected));
        assert_eq!(read(""), Ok(Limits::default()));
    }

    #[test]
    fn what_cannot_be_given_is_refused() {
        let refused = |line: &str| read(&format!("[[limit]]\n{line}\n")).unwrap_err().to_string();
        assert_eq!(refused("memory = \"65MiB\""), "p:3:10: 'memory' is 64MiB at most");
        assert_eq!(refused("deadline = \"11m\""), "p:3:12: 'deadline' is 600s at most");
        assert_eq!(refused("buffers = \"513MiB\""), "p:3:11: 'buffers' is 512MiB at most");
        assert_eq!(refused("handles = -1"), "p:3:11: 'handles' is 0 to 100000, not -1");
        assert_eq!(
            refused("reason = \"x\""),
            "p:2:1: a limit says at least one of memory, deadline, handles, children and buffers"
        );
        assert_eq!(refused("memori = \"1MiB\"\nhandles = 1"), "p:3:1: unknown key 'memori', did you mean 'memory'?");
    }
}
