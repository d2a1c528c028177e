//! A clock that stands still.

use super::{Fake, State};

/// What the pretended system knows of it.
#[derive(Debug, Default)]
pub(super) struct Clock {
    now: i64,
}

impl Fake {
    /// What the clock shows from now on, in nanoseconds since 1970 began in UTC.
    pub fn set_clock(&self, now: i64) {
        self.0.borrow_mut().clock.now = now;
    }
}

/// See [`crate::System::now`].
pub(super) fn now(state: &State) -> i64 {
    state.clock.now
}
