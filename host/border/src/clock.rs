//! `clock`: the time.

use crate::{Errno, Refusal};

interface! {
    /// The time.
    Clock {
        /// Nanoseconds since 1970 began in UTC.
        fn now() -> Result<i64, Refusal<Errno>>;
    }
}
