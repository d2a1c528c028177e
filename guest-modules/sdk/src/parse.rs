//! Text as JSON values.

use serde_json::Value;

/// The largest double, in place of a number that is larger still.
const LARGEST: &[u8] = b"1.7976931348623157e308";

/// The value of a JSON text. The parser refuses a text for a number such as 1e999, which no double can hold; QEMU's takes
/// it as a number, so that what is wrong with it is said of the one member it stands for. No argument of a command is
/// meant to be so large: which large number it becomes does not matter.
pub(crate) fn value(text: &[u8]) -> Option<Value> {
    serde_json::from_slice(text).ok().or_else(|| serde_json::from_slice(&bounded(text)).ok())
}

/// The text with such numbers replaced.
fn bounded(text: &[u8]) -> Vec<u8> {
    let mut bounded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.first() {
        let length = match first {
            b'"' => string(rest),
            b'-' | b'0'..=b'9' => rest.iter().take_while(|byte| is_of_number(**byte)).count(),
            _ => 1,
        };
        let (token, after) = rest.split_at(length);
        let too_large = str::from_utf8(token).is_ok_and(|token| token.parse().is_ok_and(f64::is_infinite));
        bounded.extend_from_slice(if too_large { LARGEST } else { token });
        rest = after;
    }
    bounded
}

/// How long the string is that `text` begins with, quotes included.
fn string(text: &[u8]) -> usize {
    let mut escaped = false;
    let closes = |byte: &u8| {
        let closes = *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        closes
    };
    text[1..].iter().position(closes).map_or(text.len(), |at| at + 2)
}

fn is_of_number(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E')
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_number_beyond_all_doubles_is_still_a_number() {
        assert_eq!(value(b"[1e999, 1]"), Some(json!([f64::MAX, 1])));
        assert!(value(b"{\"a\": -1e400}").is_some_and(|value| value["a"].is_f64()));
    }

    #[test]
    fn what_looks_like_one_in_a_string_is_left_alone() {
        assert_eq!(value(br#"["1e999\" 1e999", 1e999, 2]"#), Some(json!(["1e999\" 1e999", f64::MAX, 2])));
    }

    #[test]
    fn what_is_no_json_stays_none() {
        for broken in [&b"1e999e1"[..], b"[1e999", b"\"1e999", b"", b"-"] {
            assert_eq!(value(broken), None, "{}", String::from_utf8_lossy(broken));
        }
    }
}
