//! Whether an answer is the expected one.

use crate::notation::{Placeholders, matches, repeat};
use crate::transcript::{Expected, Kind};
use bulkhead_test_support::Reply;
use serde_json::Value;

/// Inside a string: any text.
const ANY_TEXT: &str = "[...]";

/// In place of a value: any integer.
const ANY_INTEGER: &str = "[INTEGER]";

/// What an expected line says when it is spelled out, for comparing and for showing.
pub fn spell(expected: &Expected, places: &Placeholders) -> String {
    repeat(&places.fill(&expected.text))
}

/// Whether a reply line is what `expected` says; an error if the expectation itself is not JSON.
pub fn reply(expected: &Expected, got: &Reply, places: &Placeholders) -> Result<bool, serde_json::Error> {
    let text = spell(expected, places);
    let (text, sentinel) = text.strip_prefix("\\xff").map_or((text.as_str(), false), |text| (text, true));
    if expected.kind == Kind::Exact {
        return Ok(sentinel == got.sentinel && matches(text, ANY_TEXT, &got.text));
    }
    let wanted: Value = serde_json::from_str(text)?;
    Ok(sentinel == got.sentinel && same(&wanted, &got.value, expected.kind == Kind::Contains))
}

/// Whether a printed line is what `expected` says.
pub fn printed(expected: &Expected, got: &str, places: &Placeholders) -> bool {
    matches(&spell(expected, places), ANY_TEXT, got)
}

/// Members are compared without their order; an integer never equals a number with a fraction. With `part`, objects
/// may have more members and lists more and other elements than `wanted`.
fn same(wanted: &Value, got: &Value, part: bool) -> bool {
    match (wanted, got) {
        (Value::String(wanted), Value::Number(got)) if wanted == ANY_INTEGER => got.is_i64() || got.is_u64(),
        (Value::String(wanted), Value::String(got)) => matches(wanted, ANY_TEXT, got),
        (Value::Object(wanted), Value::Object(got)) => {
            (part || wanted.len() == got.len())
                && wanted.iter().all(|(name, value)| got.get(name).is_some_and(|got| same(value, got, part)))
        }
        (Value::Array(wanted), Value::Array(got)) if part => {
            wanted.iter().all(|wanted| got.iter().any(|got| same(wanted, got, part)))
        }
        (Value::Array(wanted), Value::Array(got)) => {
            wanted.len() == got.len() && wanted.iter().zip(got).all(|(wanted, got)| same(wanted, got, part))
        }
        _ => wanted == got,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_are_compared_with_their_kind() {
        assert!(same(&json!({"a": 1, "b": [2]}), &json!({"b": [2], "a": 1}), false));
        assert!(!same(&json!(1), &json!(1.0), false));
        assert!(!same(&json!(1), &json!(true), false));
        assert!(same(&json!("[INTEGER]"), &json!(-7), false));
        assert!(!same(&json!("[INTEGER]"), &json!(7.5), false));
    }

    #[test]
    fn a_part_may_leave_members_and_elements_out() {
        let whole = json!({"list": [{"name": "a", "on": true}, {"name": "b", "on": false}], "more": 0});
        assert!(same(&json!({"list": [{"name": "b", "on": false}]}), &whole, true));
        assert!(!same(&json!({"list": [{"name": "a", "on": false}]}), &whole, true));
        assert!(!same(&json!({"list": []}), &whole, false));
    }

    #[test]
    fn the_sentinel_is_part_of_the_answer() {
        let places = Placeholders { scratch: "/s".into(), state: "/t".into(), pid: "7".into() };
        let expected = |kind, text: &str| Expected { line: 1, kind, text: text.into() };
        let got = Reply { sentinel: true, value: json!({"return": 1}), text: r#"{"return": 1}"#.into() };
        assert!(reply(&expected(Kind::Same, r#"\xff{"return":1}"#), &got, &places).unwrap());
        assert!(!reply(&expected(Kind::Same, r#"{"return":1}"#), &got, &places).unwrap());
        assert!(!reply(&expected(Kind::Exact, r#"\xff{"return":1}"#), &got, &places).unwrap());
        assert!(reply(&expected(Kind::Same, "{"), &got, &places).is_err());
    }
}
