//! Digests and times: as they are counted, and as short as people read them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Characters of a digest that are shown where the whole of it would only fill the line. It bounds a column: twelve are
/// enough to tell any two files apart by eye, and the tools take them where a digest is asked for.
const SHORT: usize = 12;

/// Where a digest begins, in hexadecimal digits.
pub fn short(digest: &str) -> &str {
    &digest[..digest.floor_char_boundary(SHORT)]
}

/// Seconds since 1970, as a date and a time of day (RFC 3339, UTC).
pub fn date(seconds: u64) -> String {
    let text = bulkhead_audit::rfc3339(UNIX_EPOCH + Duration::from_secs(seconds));
    text.replace(".000000Z", "Z")
}

/// Seconds since 1970.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_digest_is_where_a_long_one_begins() {
        assert_eq!(short(&"ab".repeat(32)), "abababababab");
        assert_eq!(short("ab"), "ab");
    }

    #[test]
    fn a_date_tells_whole_seconds() {
        assert_eq!(date(1_700_000_000), "2023-11-14T22:13:20Z");
    }
}
