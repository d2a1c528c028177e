//! How much an agent was asked, for the owner who wants to know how it does. Counted in memory, and told when somebody asks.

use std::cell::Cell;

/// What came since the agent began.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Requests, whatever became of them.
    pub requests: Cell<u64>,
    /// Those that did not run: refused, or for a command that there is not.
    pub refused: Cell<u64>,
    /// Those that ran, and were denied something, or would have been.
    pub denied: Cell<u64>,
    /// Those whose module broke, or was stopped.
    pub failed: Cell<u64>,
    /// Messages that are not requests.
    pub rejected: Cell<u64>,
}

impl Counts {
    /// One more.
    pub(crate) fn add(count: &Cell<u64>) {
        count.set(count.get().saturating_add(1));
    }
}
