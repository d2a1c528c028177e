//! Times as RFC 3339 writes them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The last second that has a form, that of the year 9999: 253402300799 seconds after 1970.
const LAST: Duration = Duration::from_secs(253_402_300_799);

/// `time` in UTC with microseconds, such as `2026-01-31T23:59:59.000001Z`. One that has no form, before 1970 or after 9999, is
/// shown as the nearest that has: a client may be able to set the clock.
pub fn rfc3339(time: SystemTime) -> String {
    humantime::format_rfc3339_micros(time.clamp(UNIX_EPOCH, UNIX_EPOCH + LAST)).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_time_has_a_form() {
        let at = |seconds| rfc3339(UNIX_EPOCH + Duration::from_secs(seconds));
        assert_eq!(rfc3339(UNIX_EPOCH + Duration::from_micros(951_782_400_000_001)), "2000-02-29T00:00:00.000001Z");
        assert_eq!(rfc3339(UNIX_EPOCH - Duration::from_secs(1)), "1970-01-01T00:00:00.000000Z");
        assert_eq!(at(253_402_300_799), "9999-12-31T23:59:59.000000Z");
        assert_eq!(at(253_402_300_800), at(253_402_300_799));
    }
}
