//! The bounds of one compartment: the agent's own, or what the owner's policy says instead. A module that is stopped by one of
//! them is stopped with words that tell whose bound it was.

pub mod limits;

use bulkhead_border::request::{self, Bound};
use std::fmt;
use std::time::Duration;
use thiserror::Error;
use wasmtime::{ResourceLimiter, StoreLimits, StoreLimitsBuilder};

/// What the compartment of one request may use.
pub(crate) struct Bounds {
    memory: Most<usize>,
    time: Most<Duration>,
    /// Those that no policy speaks of.
    others: StoreLimits,
}

/// How much, and which rule of the policy says so.
struct Most<T> {
    most: T,
    rule: Option<String>,
}

/// Why a module was stopped.
#[derive(Error)]
pub(crate) enum Exceeded {
    #[error("the module asked for {wanted} bytes of memory and may have {most}, {}", who(.rule))]
    Memory { wanted: usize, most: usize, rule: Option<String> },
    #[error("the module used all the processor time it may have, {most:?}, {}", who(.rule))]
    Time { most: Duration, rule: Option<String> },
}

/// The log shows what ended a module in this form, for a trap has its place in the code there.
impl fmt::Debug for Exceeded {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

fn who(rule: &Option<String>) -> String {
    rule.as_ref().map_or("the agent's own limit".to_owned(), |rule| format!("by the limit {rule} of the policy"))
}

impl Bounds {
    /// What the policy says, and where it says nothing the agent's own.
    pub(crate) fn new(said: &request::Bounds) -> Self {
        let others = StoreLimitsBuilder::new()
            .table_elements(limits::TABLE_ELEMENTS)
            .instances(8)
            .memories(2)
            .tables(8)
            .trap_on_grow_failure(true)
            .build();
        Bounds { memory: Most::of(&said.memory, limits::MEMORY), time: Most::of(&said.time, limits::TIME), others }
    }

    /// Makes them no narrower than the agent's own, whatever the policy says.
    pub(crate) fn widen(&mut self) {
        self.memory.widen(limits::MEMORY);
        self.time.widen(limits::TIME);
    }

    /// Whether a module that has moved so many bytes may go on after so much processor time.
    pub(crate) fn check_time(&self, used: Duration, moved: u64) -> wasmtime::Result<()> {
        let most = limits::allowance(self.time.most, moved);
        if used < most {
            return Ok(());
        }
        Err(wasmtime::Error::new(Exceeded::Time { most, rule: self.time.rule.clone() }))
    }
}

impl<T: Copy + Ord> Most<T> {
    fn of(said: &Option<Bound<T>>, own: T) -> Self {
        match said {
            Some(Bound { most, rule }) => Most { most: *most, rule: Some(rule.clone()) },
            None => Most { most: own, rule: None },
        }
    }

    fn widen(&mut self, own: T) {
        if self.most < own {
            *self = Most { most: own, rule: None };
        }
    }
}

/// What the engine asks. A module that asks for more memory than it may have is stopped at once: its allocator could do
/// nothing better.
impl ResourceLimiter for Bounds {
    fn memory_growing(&mut self, current: usize, wanted: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        let Most { most, ref rule } = self.memory;
        if wanted > most {
            return Err(wasmtime::Error::new(Exceeded::Memory { wanted, most, rule: rule.clone() }));
        }
        self.others.memory_growing(current, wanted, maximum)
    }

    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        self.others.memory_grow_failed(error)
    }

    fn table_growing(&mut self, current: usize, wanted: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        self.others.table_growing(current, wanted, maximum)
    }

    fn table_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        self.others.table_grow_failed(error)
    }

    fn instances(&self) -> usize {
        self.others.instances()
    }

    fn tables(&self) -> usize {
        self.others.tables()
    }

    fn memories(&self) -> usize {
        self.others.memories()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bulkhead_catalog::{commands, modules};
    use bulkhead_policy::{Document, Policy};

    fn bounds(rules: &str) -> Bounds {
        let (commands, modules) = (commands::names(), modules::names());
        let document = Document::parse("p", &format!("version = 1\n{rules}"), &commands, &modules).unwrap();
        Bounds::new(&bulkhead_broker::rulings::bounds("file", &Policy::merge([document], &commands, &modules).unwrap()))
    }

    fn said(result: wasmtime::Result<impl Sized>) -> String {
        result.map(drop).unwrap_err().to_string()
    }

    #[test]
    fn without_a_rule_the_agents_own_limits_hold() {
        let mut own = bounds("[[limit]]\nmodules = [\"exec\"]\nmemory = \"1MiB\"\ndeadline = \"1s\"\n");
        assert!(own.memory_growing(0, limits::MEMORY, None).unwrap());
        assert!(said(own.memory_growing(0, limits::MEMORY + 1, None)).ends_with("16777216, the agent's own limit"));
        assert!(own.check_time(limits::TIME - Duration::from_millis(1), 0).is_ok());
        assert!(said(own.check_time(limits::TIME, 0)).ends_with("5s, the agent's own limit"));
        assert!(own.check_time(limits::TIME, 1 << 20).is_ok(), "who moves bytes has more");
        assert!(own.table_growing(0, limits::TABLE_ELEMENTS + 1, None).is_err());
    }

    #[test]
    fn for_a_way_out_they_are_no_narrower_than_the_agents_own() {
        let mut widened = bounds("[[limit]]\nmemory = \"64KiB\"\ndeadline = \"1s\"\n");
        widened.widen();
        assert!(widened.memory_growing(0, limits::MEMORY, None).unwrap());
        assert!(widened.check_time(Duration::from_secs(2), 0).is_ok());
        let mut wide = bounds("[[limit]]\nmemory = \"64MiB\"\n");
        wide.widen();
        assert!(wide.memory_growing(0, 64 << 20, None).unwrap(), "what the owner gives more is not taken away");
    }

    #[test]
    fn a_rule_may_give_less_or_more_and_is_named() {
        let rules =
            "[[limit]]\nmemory = \"64MiB\"\ndeadline = \"10s\"\n[[limit]]\nmodules = [\"file\"]\ndeadline = \"2s\"\n";
        let mut bounds = bounds(rules);
        assert!(bounds.memory_growing(0, 64 << 20, None).unwrap(), "more than the agent's own");
        assert!(said(bounds.memory_growing(0, (64 << 20) + 1, None)).ends_with("by the limit p:2:1 of the policy"));
        assert!(bounds.check_time(Duration::from_secs(1), 0).is_ok());
        let narrowest = said(bounds.check_time(Duration::from_secs(2), 0));
        assert!(narrowest.ends_with("2s, by the limit p:5:1 of the policy"), "{narrowest}");
    }
}
