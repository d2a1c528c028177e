//! What differs between what was expected and what came, in lines for a person.

use serde_json::{Number, Value};

/// How many differences are told. A long reply that is another one altogether differs in every line, and its first ones tell
/// as much as all of them.
const TOLD: usize = 12;

/// How long a value is shown, in characters. What tells two values apart stands most often near their beginning; the whole
/// reply can be had with `bulkhead module run`.
const SHOWN: usize = 160;

/// The differences of two JSON values, by meaning: the order of members does not count, and numbers are compared as numbers.
pub(super) fn of_values(expected: &Value, found: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    compare("returns", expected, found, &mut lines);
    told(lines)
}

/// The differences of two lists of lines, in their order.
pub(super) fn of_lists<T: AsRef<str>>(what: &str, expected: &[String], found: &[T]) -> Vec<String> {
    let found: Vec<&str> = found.iter().map(AsRef::as_ref).collect();
    if expected == found {
        return Vec::new();
    }
    let missing = expected.iter().filter(|it| !found.contains(&it.as_str())).map(|it| format!("  - {it}"));
    let more = found.iter().filter(|it| !expected.iter().any(|other| other == *it)).map(|it| format!("  + {it}"));
    let lines: Vec<String> = missing.chain(more).collect();
    let order = || found.iter().map(|it| format!("  {it}")).collect();
    let (head, lines) = match lines.is_empty() {
        true => (format!("{what}, in another order or number:"), order()),
        false => (what.to_owned(), lines),
    };
    told(std::iter::once(head).chain(lines).collect())
}

fn compare(place: &str, expected: &Value, found: &Value, lines: &mut Vec<String>) {
    match (expected, found) {
        (Value::Object(expected), Value::Object(found)) => {
            for (name, value) in expected {
                let place = format!("{place}.{name}");
                match found.get(name) {
                    Some(other) => compare(&place, value, other, lines),
                    None => lines.extend([place, format!("  - {}", short(value)), "  + nothing".to_owned()]),
                }
            }
            for (name, value) in found.iter().filter(|(name, _)| !expected.contains_key(*name)) {
                lines.extend([format!("{place}.{name}"), "  - nothing".to_owned(), format!("  + {}", short(value))]);
            }
        }
        (Value::Array(expected), Value::Array(found)) if expected.len() == found.len() => {
            for (index, (value, other)) in expected.iter().zip(found).enumerate() {
                compare(&format!("{place}[{index}]"), value, other, lines);
            }
        }
        (Value::Number(one), Value::Number(other)) if is_same(one, other) => {}
        _ if expected == found => {}
        _ => lines.extend([place.to_owned(), format!("  - {}", short(expected)), format!("  + {}", short(found))]),
    }
}

/// Whether two numbers are equal. Whole ones are compared as such: as doubles, large ones would be taken for each other.
fn is_same(one: &Number, other: &Number) -> bool {
    let is_whole = |it: &Number| it.is_i64() || it.is_u64();
    one == other || (!(is_whole(one) && is_whole(other)) && one.as_f64() == other.as_f64())
}

fn told(mut lines: Vec<String>) -> Vec<String> {
    let more = lines.len().saturating_sub(3 * TOLD);
    if more > 0 {
        lines.truncate(3 * TOLD);
        lines.push(format!("and {more} lines more"));
    }
    lines
}

fn short(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_are_compared_by_meaning() {
        assert!(of_values(&json!({ "a": 1, "b": [1.0] }), &json!({ "b": [1], "a": 1 })).is_empty());
        let lines = of_values(&json!({ "a": [1, { "b": "x" }], "c": 1 }), &json!({ "a": [1, { "b": "y" }], "d": 2 }));
        assert_eq!(
            lines,
            [
                "returns.a[1].b",
                "  - \"x\"",
                "  + \"y\"",
                "returns.c",
                "  - 1",
                "  + nothing",
                "returns.d",
                "  - nothing",
                "  + 2"
            ]
        );
        assert_eq!(of_values(&json!([1]), &json!([1, 2])), ["returns", "  - [1]", "  + [1,2]"]);
    }

    #[test]
    fn large_numbers_are_not_taken_for_each_other() {
        assert_eq!(of_values(&json!(1), &json!(2)).len(), 3);
        assert_eq!(of_values(&json!(i64::MAX), &json!(i64::MAX - 1)).len(), 3);
    }

    #[test]
    fn lists_are_compared_in_their_order() {
        let list = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        assert!(of_lists("does", &list(&["a", "b"]), &["a", "b"]).is_empty());
        assert_eq!(of_lists("does", &list(&["a", "b"]), &["a", "c"]), ["does", "  - b", "  + c"]);
        assert_eq!(of_lists("does", &list(&["a", "b"]), &["b", "a"])[0], "does, in another order or number:");
        assert_eq!(of_lists("does", &list(&["a"]), &["a", "a"]).len(), 3);
    }

    #[test]
    fn what_is_told_is_bounded() {
        let many = |first: i32| json!((first..first + 100).collect::<Vec<_>>());
        assert_eq!(of_values(&many(0), &many(1)).last().map(String::as_str), Some("and 264 lines more"));
        assert!(of_values(&json!("x".repeat(1000)), &json!(1))[1].len() < 200);
    }
}
