//! What an audit and the log show of a client's arguments: what the front has told of them (`shown_arguments`), as far as the schema
//! of the command lets it be seen. What is told as something to be shown and is secret by the schema is only measured, and what
//! the schema does not know is left out: whoever tells it may be broken.

use bulkhead_audit::{Members, quoted};
use bulkhead_border::request::Shown;
use bulkhead_catalog::commands::{Installed, arguments, shown_argument};

/// Bytes of a text that are shown, and elements of a list. They bound what a request can write to the owner's disk, whatever it is
/// told to be; an honest front tells no more.
const SHOWN: usize = 256;
const ELEMENTS: usize = 17;

/// Arguments of one request that are shown. No command has so many.
const ARGUMENTS: usize = 32;

/// Adds what was told of the arguments of `command`.
pub fn add(members: &mut Members, command: &str, installed: Option<&Installed>, told: &[(String, Shown)]) {
    for (name, value) in told.iter().take(ARGUMENTS) {
        match shown_argument(command, installed, |it| it == name) {
            None => {}
            Some((name, true)) => _ = members.json(name, &json(value)),
            Some((name, false)) => _ = members.object(name, |inner| _ = inner.number("redacted", bytes(value))),
        }
    }
}

/// The same for the log, in words: ` (path "/bin/true", 2 arg, capture-output true)`. In the order of
/// the schema; of what is secret the number of elements is told, or the bytes.
pub fn spoken(command: &str, installed: Option<&Installed>, told: &[(String, Shown)]) -> String {
    let mut words = String::new();
    for (name, is_shown) in arguments(command, installed) {
        let Some((_, value)) = told.iter().find(|(it, _)| it == name) else { continue };
        words += if words.is_empty() { " (" } else { ", " };
        words += &match value {
            Shown::Secret(_, Some(elements)) => format!("{elements} {name}"),
            shown if is_shown => format!("{name} {}", json(shown)),
            secret => format!("{name} of {} bytes", bytes(secret)),
        };
    }
    if !words.is_empty() {
        words.push(')');
    }
    words
}

/// A value as JSON, of ASCII in one line.
fn json(value: &Shown) -> String {
    match value {
        Shown::Text(text) if text.len() <= SHOWN => quoted(text),
        Shown::Text(text) => cut(text, text.len() as u64),
        Shown::Cut(text, bytes) => cut(text, *bytes),
        Shown::Plain(text) if is_plain(text) => text.clone(),
        Shown::Plain(text) => json(&Shown::Text(text.clone())),
        Shown::List(list) => {
            let elements: Vec<String> = list.iter().take(ELEMENTS).map(element).collect();
            format!("[{}]", elements.join(","))
        }
        other => element(other),
    }
}

/// The same of an element of a list. No list that is shown has lists in it.
fn element(value: &Shown) -> String {
    match value {
        Shown::List(list) => format!("{{\"more\":{}}}", list.len()),
        Shown::More(more) => format!("{{\"more\":{more}}}"),
        Shown::Bytes(bytes) => format!("{{\"bytes\":{bytes}}}"),
        Shown::Secret(bytes, _) => format!("{{\"redacted\":{bytes}}}"),
        scalar => json(scalar),
    }
}

/// Whether it is a number or a word of JSON, and no longer than what is shown of any.
fn is_plain(text: &str) -> bool {
    text.len() <= SHOWN && (is_number(text) || ["true", "false", "null"].contains(&text))
}

/// Whether it is a number as RFC 8259 has it: anything else would break the line that it stands in.
fn is_number(text: &str) -> bool {
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (rest, exponent) = text.split_once(['e', 'E']).map_or((text, "0"), |(rest, exponent)| (rest, exponent));
    let (whole, fraction) = rest.split_once('.').unwrap_or((rest, "0"));
    let whole = whole.strip_prefix('-').unwrap_or(whole);
    let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    [whole, fraction, exponent].into_iter().all(is_digits) && (whole == "0" || !whole.starts_with('0'))
}

/// How long it is, as far as that was told.
fn bytes(value: &Shown) -> u64 {
    match value {
        Shown::Text(text) | Shown::Plain(text) => text.len() as u64,
        Shown::Cut(_, bytes) | Shown::Bytes(bytes) | Shown::Secret(bytes, _) => *bytes,
        Shown::List(list) => list.len() as u64,
        Shown::More(more) => *more,
    }
}

fn cut(text: &str, bytes: u64) -> String {
    format!("{{\"cut\":{},\"bytes\":{bytes}}}", quoted(&text[..text.floor_char_boundary(SHOWN)]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_one_of_json() {
        for number in ["0", "-0", "10", "1.50", "-0.5e+999", "1E-2", "12e3"] {
            assert!(is_plain(number), "{number}");
        }
        for other in ["", "-", "01", "1.", ".5", "1e", "1e+", "1-2", "1.2.3", "1e2e3", "+1", "--1", "0x1", "NaN"] {
            assert_eq!(json(&Shown::Plain(other.to_owned())), quoted(other));
        }
    }

    /// A front that is broken tells anything.
    #[test]
    fn a_lie_shows_no_secret_and_breaks_no_line() {
        let long = "x".repeat(10_000);
        let lies = [
            ("password", Shown::Text("MARK".to_owned())),
            ("username", Shown::Plain("MARK\",\"x\":\"".to_owned())),
            ("username", Shown::Plain(long.clone())),
            ("username", Shown::Plain("1-2".to_owned())),
            ("username", Shown::Cut(long.clone(), 1)),
            ("username", Shown::List(vec![Shown::List(vec![Shown::Text(long)]); 100])),
            ("no-such-argument", Shown::Text("MARK".to_owned())),
        ];
        let told: Vec<_> = lies.into_iter().cycle().take(60).map(|(name, value)| (name.to_owned(), value)).collect();
        let mut members = Members::default();
        add(&mut members, "guest-set-user-password", None, &told);
        let text = format!("{{{}}}", members.as_str());
        assert!(text.is_ascii() && serde_json::from_str::<serde_json::Value>(&text).is_ok());
        assert!(text.starts_with(r#"{"password":{"redacted":4},"username":"MARK\","#), "{text}");
        assert!(!text.contains("no-such") && text.len() < 32 * 1024, "{}", text.len());
        assert_eq!(spoken("guest-set-user-password", None, &told[..1]), " (password of 4 bytes)");
    }
}
