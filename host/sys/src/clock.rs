//! Reading the clock.

use crate::{Rehearsal, System};

/// Reading the clock.
pub trait Clock {
    /// Nanoseconds since 1970 began in UTC (CLOCK_REALTIME).
    fn now(&self) -> i64;
}

impl<S: System> Clock for Rehearsal<S> {
    fn now(&self) -> i64 {
        self.real.now()
    }
}
