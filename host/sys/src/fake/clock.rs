//! A clock that stands still.

use super::Fake;

/// What the pretended system knows of it.
#[derive(Debug, Default)]
pub(super) struct Clock {
    pub(super) now: i64,
}

impl Fake {
    /// What the clock shows from now on, in nanoseconds since 1970 began in UTC.
    pub fn set_clock(&self, now: i64) {
        self.0.borrow_mut().clock.now = now;
    }
}

impl crate::Clock for Fake {
    fn now(&self) -> i64 {
        let state = &self.0.borrow();
        state.clock.now
    }
}
