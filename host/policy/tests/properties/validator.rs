//! JSON schemas, as far as ours uses them: a word that is not known here fails the test rather than pass unseen.

use bulkhead_policy::{is_vendor_command, is_vendor_module};
use serde_json::Value;
use toml::de::{DeInteger, DeTable, DeValue};

/// What is wrong with `value`, if something is. Patterns are looked up in the list below, not interpreted.
pub(crate) fn fault(schema: &Value, value: &Value, at: &str) -> Option<String> {
    let no = |what: &str| Some(format!("{at}: {what}"));
    for (word, rule) in schema.as_object().unwrap() {
        let found = match word.as_str() {
            "$schema" | "title" | "description" | "properties" => None,
            "type" if !has_type(value, rule.as_str().unwrap()) => no(&format!("is not of type {rule}")),
            "const" if value != rule => no(&format!("is not {rule}")),
            "enum" if !rule.as_array().unwrap().contains(value) => no(&format!("is none of {rule}")),
            "pattern" if !value.as_str().is_none_or(|text| fits(rule.as_str().unwrap(), text)) => {
                no(&format!("does not look like {rule}"))
            }
            "minimum" if value.as_i64() < rule.as_i64() => no("is too small"),
            "maximum" if value.as_i64() > rule.as_i64() => no("is too large"),
            "minLength" if value.as_str().is_some_and(str::is_empty) => no("is empty"),
            "minItems" if value.as_array().is_some_and(Vec::is_empty) => no("is empty"),
            "required" => {
                let missing = |key: &&Value| value.get(key.as_str().unwrap()).is_none();
                rule.as_array().unwrap().iter().find(missing).and_then(|key| no(&format!("{key} is missing")))
            }
            "additionalProperties" => {
                assert_eq!(*rule, false);
                let known = |key: &str| schema["properties"].get(key).is_some();
                let mut keys = value.as_object().into_iter().flat_map(|object| object.keys());
                keys.find(|key| !known(key)).and_then(|key| no(&format!("{key} is unknown")))
            }
            "items" => value.as_array().into_iter().flatten().find_map(|item| fault(rule, item, at)),
            "anyOf" => {
                let faults: Vec<_> = rule.as_array().unwrap().iter().map(|one| fault(one, value, at)).collect();
                faults.iter().all(Option::is_some).then(|| format!("{at}: none fits: {faults:?}"))
            }
            "type" | "const" | "enum" | "pattern" | "minimum" | "maximum" | "minLength" | "minItems" => None,
            other => panic!("the schema uses {other}, which is not known here"),
        };
        if found.is_some() {
            return found;
        }
    }
    let properties = schema.get("properties").and_then(Value::as_object);
    properties.into_iter().flatten().find_map(|(key, schema)| fault(schema, value.get(key)?, &format!("{at}.{key}")))
}

fn has_type(value: &Value, name: &str) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64(),
        "boolean" => value.is_boolean(),
        other => panic!("the schema uses the type {other}, which is not known here"),
    }
}

/// Each pattern of the schema, in Rust.
fn fits(pattern: &str, text: &str) -> bool {
    let number = |rest: &str| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit());
    let time = || text.strip_suffix(['s', 'm', 'h', 'd']).is_some_and(number);
    match pattern {
        r"^[a-z][a-z0-9-]*(\.[a-z][a-z0-9-]*)+$" => is_vendor_module(text),
        r"^__[a-z][a-z0-9-]*(\.[a-z][a-z0-9-]*)+_[a-z][A-Za-z0-9_-]*$" => is_vendor_command(text),
        r"^[a-z.0-9-]*\*$" | r"^[A-Za-z_.0-9-]*\*$" => {
            text.strip_suffix('*').is_some_and(|begin| !begin.contains(['*', ' ']))
        }
        r"^(/|\*$)" => text == "*" || text.starts_with('/'),
        "^[^/]+$" => !text.is_empty() && !text.contains('/'),
        r"^[^\s/:]+$" => !text.is_empty() && !text.contains(|it: char| it.is_whitespace() || matches!(it, '/' | ':')),
        "^/" => text.starts_with('/'),
        "^([0-9]+[smhd]|any)$" => text == "any" || time(),
        "^[0-9]+[smhd]$" => time(),
        "^[0-9]+([KMG]i)?B$" => text.strip_suffix('B').is_some_and(|rest| {
            let unit = rest.strip_suffix("Ki").or(rest.strip_suffix("Mi")).or(rest.strip_suffix("Gi"));
            number(unit.unwrap_or(rest))
        }),
        other => panic!("the schema uses the pattern {other}, which is not known here"),
    }
}

/// TOML as JSON.
pub(crate) fn json(text: &str) -> Value {
    table(DeTable::parse(text).unwrap().get_ref())
}

fn table(from: &DeTable<'_>) -> Value {
    from.iter().map(|(key, value)| (key.get_ref().to_string(), one(value.get_ref()))).collect()
}

fn one(value: &DeValue<'_>) -> Value {
    let number = |number: &DeInteger<'_>| i64::from_str_radix(number.as_str(), number.radix()).unwrap();
    match value {
        DeValue::String(text) => text.as_ref().into(),
        DeValue::Integer(it) => number(it).into(),
        DeValue::Boolean(flag) => (*flag).into(),
        DeValue::Array(items) => items.iter().map(|item| one(item.get_ref())).collect(),
        DeValue::Table(it) => table(it),
        DeValue::Float(_) | DeValue::Datetime(_) => panic!("no policy has one"),
    }
}
