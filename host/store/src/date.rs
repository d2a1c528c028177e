//! Days of the calendar, as they stand in keys.

use std::time::{Duration, UNIX_EPOCH};

/// A day, in seconds.
pub(crate) const DAY: u64 = 24 * 60 * 60;

/// The last day that is written with four digits for its year: December 31, 9999.
const LAST: u64 = 2_932_896;

/// The day that `text`, as `2028-12-31`, names, in days since 1970.
pub(crate) fn day(text: &str) -> Result<u64, String> {
    let begin = humantime::parse_rfc3339(&format!("{text}T00:00:00Z")).ok();
    let since = begin.and_then(|begin| begin.duration_since(UNIX_EPOCH).ok());
    since.map(|since| since.as_secs() / DAY).ok_or_else(|| format!("'{text}' is not a date: write it like 2028-12-31"))
}

/// The day as `2028-12-31`.
pub(crate) fn text(day: u64) -> String {
    let begin = UNIX_EPOCH + Duration::from_secs(day.min(LAST) * DAY);
    let mut text = humantime::format_rfc3339_seconds(begin).to_string();
    text.truncate("2028-12-31".len());
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_that_date_prints() {
        for (text, expected) in [
            ("1970-01-01", 0),
            ("1999-12-31", 10_956),
            ("2000-02-29", 11_016),
            ("2026-11-22", 20_779),
            ("2028-12-31", 21_549),
            ("2100-03-01", 47_541),
            ("9999-12-31", 2_932_896),
        ] {
            assert_eq!(day(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn every_day_is_written_as_it_is_read() {
        (0..200_000).for_each(|number| assert_eq!(day(&text(number)), Ok(number)));
    }

    #[test]
    fn what_is_no_day_is_refused() {
        for text in
            ["2028-02-30", "2027-02-29", "2028-13-01", "2028-00-01", "1969-12-31", "28-12-31", "2028-1-1", "", "soon"]
        {
            assert!(day(text).is_err(), "{text}");
        }
    }
}
