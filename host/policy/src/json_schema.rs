//! The JSON schema of a policy file, for editors.

use crate::document::VERSION;
use crate::profiles::PROFILES;
use crate::shape::{Key, Kind, SHAPES, Shape};
use serde_json::{Map, Value, json};

/// The name of a vendor's module, such as `com.example.backup`; see [`crate::is_vendor_module`].
const VENDORS_MODULE: &str = r"^[a-z][a-z0-9-]*(\.[a-z][a-z0-9-]*)+$";

/// The name of a vendor's command, such as `__com.example_word`; see [`crate::is_vendor_command`].
const VENDORS_COMMAND: &str = r"^__[a-z][a-z0-9-]*(\.[a-z][a-z0-9-]*)+_[a-z][A-Za-z0-9_-]*$";

/// The schema, made from [`crate::shape`]. Editors that know it complete keys and words and show what they mean.
/// `commands` and `modules` are those that there are.
pub fn json_schema(commands: &[&str], modules: &[&str]) -> Value {
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Bulkhead policy",
        "description": "What the client of a VM may have the guest agent do.",
        "type": "object",
        "additionalProperties": false,
        "required": ["version"],
        "properties": {
            "version": { "const": VERSION, "description": "The version of this form." },
            "profile": {
                "enum": PROFILES.iter().map(|profile| profile.name).collect::<Vec<_>>(),
                "description": "The profile of the package that the policy starts from."
            },
            "command": { "type": "array", "items": command(commands) },
            "permit": { "type": "array", "items": { "anyOf": grants(modules, true) } },
            "limit": { "type": "array", "items": limit(modules) },
            "module": { "type": "array", "items": module(modules) },
            "network": network(),
            "hotplug": hotplug(),
            "forbid": { "type": "array", "items": { "anyOf": grants(modules, false) } },
        }
    })
}

fn command(commands: &[&str]) -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["names", "mode"],
        "properties": {
            "names": {
                "type": "array",
                "minItems": 1,
                "items": { "anyOf": [
                    { "enum": commands },
                    { "type": "string", "pattern": VENDORS_COMMAND },
                    { "type": "string", "pattern": "^[A-Za-z_.0-9-]*\\*$" }
                ] },
                "description": "Commands, built in or of vendors (__com.example_word); a name that ends in * stands for \
                                all that begin so."
            },
            "mode": {
                "enum": ["enforce", "observe", "deny"],
                "description": "enforce: it runs and does what the grants permit. observe: it runs, and what they would \
                                deny is allowed and logged. deny: it does not run."
            },
            "while": { "enum": ["frozen", "thawed"], "description": "The state in which the rule holds. Without: both." },
            "faster-than": {
                "type": "object",
                "additionalProperties": false,
                "required": ["calls", "seconds"],
                "properties": {
                    "calls": { "type": "integer", "minimum": 1, "maximum": 10000 },
                    "seconds": { "type": "integer", "minimum": 1, "maximum": 3600 }
                },
                "description": "With deny: only as long as there were so many calls in so many seconds."
            },
            "reason": { "type": "string", "description": "Why." }
        }
    })
}

fn grants(modules: &[&str], permit: bool) -> Vec<Value> {
    SHAPES.iter().map(|shape| grant(shape, modules, permit)).collect()
}

fn grant(shape: &Shape, modules: &[&str], permit: bool) -> Value {
    let mut properties = Map::new();
    properties.insert("capability".to_owned(), json!({ "const": shape.capability, "description": shape.doc }));
    let doc = if permit { "The modules that get it." } else { "The modules meant. Without: all." };
    properties.insert(
        "modules".to_owned(),
        json!({ "type": "array", "minItems": 1, "items": module_name(modules), "description": doc }),
    );
    properties.insert("reason".to_owned(), json!({ "type": "string", "description": "Why." }));
    let mut required = vec!["capability", "reason"];
    if permit {
        required.push("modules");
    }
    for key in shape.keys.iter().filter(|key| permit || !key.kind.is_setting()) {
        properties.insert(key.name.to_owned(), value(key, permit));
        if key.required && permit {
            required.push(key.name);
        }
    }
    json!({ "type": "object", "additionalProperties": false, "required": required, "properties": properties })
}

fn value(key: &Key, permit: bool) -> Value {
    let list = |items: Value| json!({ "type": "array", "minItems": 1, "items": items });
    let mut value = match key.kind {
        Kind::Words(words) => list(json!({ "enum": words })),
        Kind::Names if permit && !key.required => {
            json!({ "type": "array", "items": { "type": "string", "minLength": 1 } })
        }
        Kind::Names => list(json!({ "type": "string", "minLength": 1 })),
        Kind::FileNames => list(json!({ "type": "string", "pattern": "^[^/]+$" })),
        Kind::Paths | Kind::Patterns => list(json!({ "type": "string", "pattern": "^(/|\\*$)" })),
        Kind::Trees => list(json!({ "type": "string", "pattern": "^/" })),
        Kind::Numbers => json!({ "anyOf": [{ "type": "array", "items": { "type": "integer" } }, { "const": "*" }] }),
        Kind::AtMost => json!({ "type": "string", "pattern": "^([0-9]+[smhd]|any)$" }),
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::Size => size(),
        Kind::Time => time(),
        Kind::Rate => json!({
            "type": "object",
            "additionalProperties": false,
            "required": ["bytes", "seconds"],
            "properties": { "bytes": size(), "seconds": { "type": "integer", "minimum": 1, "maximum": 3600 } }
        }),
        Kind::User => json!({ "type": "string", "minLength": 1 }),
        Kind::Templates => {
            json!({ "type": "array", "items": { "type": "array", "items": { "type": "string" } } })
        }
    };
    value["description"] = json!(key.doc);
    value
}

fn limit(modules: &[&str]) -> Value {
    let count = |doc: &str| json!({ "type": "integer", "minimum": 0, "maximum": 100_000, "description": doc });
    let with = |mut value: Value, doc: &str| {
        value["description"] = json!(doc);
        value
    };
    let one_of_them = ["memory", "deadline", "handles", "children", "buffers"].map(|key| json!({ "required": [key] }));
    json!({
        "type": "object",
        "additionalProperties": false,
        "anyOf": one_of_them,
        "properties": {
            "modules": {
                "type": "array",
                "minItems": 1,
                "items": module_name(modules),
                "description": "The modules meant. Without: all."
            },
            "memory": with(size(), "The memory of a compartment; 64MiB at most."),
            "deadline": with(time(), "Processor time for one request; 10 minutes at most."),
            "handles": count("Files open at once."),
            "children": count("Programs running at once."),
            "buffers": with(size(), "Input and output of programs that the agent holds, of all of them together; 512MiB at most. Without: 64MiB."),
            "reason": { "type": "string", "description": "Why." }
        }
    })
}

fn module(modules: &[&str]) -> Value {
    let count = |least: u32, most: u32| json!({ "type": "integer", "minimum": least, "maximum": most });
    let one_of_them = ["replace", "probation", "strikes"].map(|key| json!({ "required": [key] }));
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["names", "reason"],
        "anyOf": one_of_them,
        "properties": {
            "names": {
                "type": "array",
                "minItems": 1,
                "items": { "anyOf": [module_name(modules), { "type": "string", "pattern": "^[a-z.0-9-]*\\*$" }] },
                "description": "Modules, built in or of vendors; a name that ends in * stands for all that begin so."
            },
            "replace": {
                "type": "boolean",
                "description": "Whether an installed module may take the place of the built-in one of its name. Without: no."
            },
            "probation": {
                "type": "integer",
                "minimum": 0,
                "maximum": 10_000,
                "description": "How many calls of a new version are watched; if one fails, the version before it comes back. \
                                Without: 20."
            },
            "strikes": {
                "type": "object",
                "additionalProperties": false,
                "required": ["failures", "seconds"],
                "properties": { "failures": count(1, 1000), "seconds": count(1, 86_400) },
                "description": "After how many failures in how many seconds a version is taken away that has come through \
                                its probation. Without: 3 in 600."
            },
            "reason": { "type": "string", "description": "Why." }
        }
    })
}

fn network() -> Value {
    let one_of_them = ["exclude", "primary"].map(|key| json!({ "required": [key] }));
    let names = |doc: &str| {
        let name = json!({ "type": "string", "minLength": 1, "pattern": "^[^\\s/:]+$" });
        json!({ "type": "array", "minItems": 1, "items": name, "description": doc })
    };
    json!({
        "type": "object",
        "additionalProperties": false,
        "anyOf": one_of_them,
        "description": "Which network interfaces clients see, and in which order. Without: all, in the kernel's order.",
        "properties": {
            "exclude": names("Names of interfaces that clients do not see; in them * is any text."),
            "primary": names("Names of interfaces that come first, in this order; in them * is any text. Then come those \
                              that have a default route."),
            "reason": { "type": "string", "description": "Why." }
        }
    })
}

fn hotplug() -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["online"],
        "properties": {
            "online": {
                "type": "boolean",
                "description": "Whether processors and memory that are added while the VM runs are taken into use. Without: no."
            },
            "reason": { "type": "string", "description": "Why." }
        }
    })
}

/// Built-in modules, which an editor completes, and those of vendors, of which only the form is known.
fn module_name(modules: &[&str]) -> Value {
    json!({ "anyOf": [{ "enum": modules }, { "type": "string", "pattern": VENDORS_MODULE }] })
}

fn size() -> Value {
    json!({ "type": "string", "pattern": "^[0-9]+([KMG]i)?B$" })
}

fn time() -> Value {
    json!({ "type": "string", "pattern": "^[0-9]+[smhd]$" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_knows_every_key() {
        let schema = json_schema(&["guest-ping"], &["file"]);
        for shape in SHAPES {
            let permit = schema["properties"]["permit"]["items"]["anyOf"].as_array().unwrap();
            let found = permit.iter().find(|it| it["properties"]["capability"]["const"] == shape.capability).unwrap();
            for key in shape.keys {
                assert_eq!(found["properties"][key.name]["description"], key.doc);
                assert_eq!(found["required"].as_array().unwrap().contains(&json!(key.name)), key.required);
            }
        }
    }
}
