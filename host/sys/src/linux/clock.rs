//! Reading the clock.

use super::Linux;
use crate::Clock;
use nix::time::{ClockId, clock_gettime};

impl Clock for Linux {
    /// The clock of a Linux that runs can be read; what it reads fits until the year 2262.
    fn now(&self) -> i64 {
        let Ok(time) = clock_gettime(ClockId::CLOCK_REALTIME) else { return 0 };
        time.tv_sec().saturating_mul(1_000_000_000).saturating_add(time.tv_nsec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{SystemTime, UNIX_EPOCH};

    #[test]
    fn it_is_the_time_of_day() {
        let other = || i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos()).unwrap();
        let (before, now, after) = (other(), Linux.now(), other());
        assert!(before <= now && now <= after, "{before} {now} {after}");
    }
}
