//! The manual page of the policy says what the reader reads: its lists are made from the same data, its examples are read.
//!
//! After a wanted change: `BLESS=1 cargo test --release -p bulkhead-policy --test manual`, then read the difference.

use bulkhead_policy::shape::{Kind, SHAPES};
use bulkhead_policy::{Document, PROFILES, Policy};
use std::fmt::Write;
use std::{env, fs};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../dist/bulkhead-policy.5");

fn page() -> String {
    fs::read_to_string(PAGE).unwrap()
}

#[test]
fn its_lists_are_up_to_date() {
    let mut text = page();
    for (name, lines) in [("profiles", profiles()), ("capabilities", capabilities())] {
        let begin = format!(".\\\" Generated: {name}\n");
        let start = text.find(&begin).unwrap() + begin.len();
        let end = start + text[start..].find(".\\\" End\n").unwrap();
        text.replace_range(start..end, &lines);
    }
    if env::var_os("BLESS").is_some() {
        fs::write(PAGE, &text).unwrap();
    }
    assert!(text == page(), "the manual page is not what the shapes and profiles say");
}

#[test]
fn its_examples_are_policies() {
    let text = page();
    let commands: Vec<_> = include_str!("../../../schemas/commands.txt").lines().collect();
    let modules = ["core", "file", "filesystem", "power", "exec", "report", "time", "hotplug", "account"];
    let examples = text.split(".Bd -literal -offset indent\n").skip(1);
    let examples = examples.filter_map(|rest| rest.split(".Ed\n").next()).filter(|it| it.starts_with("version"));
    let read =
        |example| Document::parse("example", example, &commands, &modules).unwrap_or_else(|error| panic!("{error}"));
    let policies: Vec<_> = examples.map(|it| Policy::merge([read(it)], &commands, &modules).unwrap()).collect();
    assert_eq!(policies.len(), 3);
}

#[test]
fn its_keys_are_those_of_the_form() {
    // Keys of rules that are not grants stand in the page by hand; the JSON schema, made from the same code, knows them.
    let schema = bulkhead_policy::json_schema(&[], &[]);
    let (text, properties) = (page(), &schema["properties"]);
    let lists = ["command", "limit", "module"].map(|rule| &properties[rule]["items"]);
    for rule in lists.into_iter().chain([&schema, &properties["network"], &properties["hotplug"]]) {
        for key in rule["properties"].as_object().unwrap().keys() {
            let item = [format!(".It Ic {key}\n"), format!(".Ql [[{key}]]\n"), format!(".Ql [{key}]\n")];
            assert!(item.iter().any(|item| text.contains(item)), "{key} is missing");
        }
    }
}

fn profiles() -> String {
    let mut text = ".Bl -tag -width Ds\n".to_owned();
    for profile in PROFILES {
        // What a profile is for stands in its first lines.
        let lines = profile.text.lines().map_while(|line| line.strip_prefix("# ")).collect::<Vec<_>>().join(" ");
        let doc = lines.split_once(": ").unwrap().1.to_owned();
        let _ = write!(text, ".It Cm {}\n{}", profile.name, sentences(&doc));
    }
    text + ".El\n"
}

fn capabilities() -> String {
    let mut text = ".Bl -tag -width Ds\n".to_owned();
    for shape in SHAPES {
        let _ = write!(text, ".It Cm {}\n{}", shape.capability, sentences(shape.doc));
        if shape.keys.is_empty() {
            continue;
        }
        text += ".Bl -tag -width Ds\n";
        for key in shape.keys {
            let kind = match key.kind {
                Kind::Words(words) => format!("a list of {}", words.join(", ")),
                Kind::Names => "a list of names".to_owned(),
                Kind::FileNames => "a list of names of files".to_owned(),
                Kind::Paths => "a list of paths".to_owned(),
                Kind::Trees => "a list of trees".to_owned(),
                Kind::Patterns => "a list of patterns".to_owned(),
                Kind::Numbers => "a list of numbers, or \"*\"".to_owned(),
                Kind::AtMost => "a time, or \"any\"".to_owned(),
                Kind::Flag => "true or false".to_owned(),
                Kind::Templates => "arguments".to_owned(),
                Kind::Size => "a setting, a size".to_owned(),
                Kind::Time => "a setting, a time".to_owned(),
                Kind::Rate => "a setting, a rate".to_owned(),
                Kind::User => "a setting, a user".to_owned(),
            };
            let required = if key.required { "; a permit needs it" } else { "" };
            let _ = write!(text, ".It Ic {}\n({kind}{required})\n{}", key.name, sentences(key.doc));
        }
        text += ".El\n";
    }
    text + ".El\n"
}

/// A sentence a line, as manual pages have it. A line that began with a dot or an apostrophe would be an order.
fn sentences(doc: &str) -> String {
    let lines = doc.replace('\\', "\\e").replace(". ", ".\n");
    let plain = |line: &str| if line.starts_with(['.', '\'']) { format!("\\&{line}\n") } else { format!("{line}\n") };
    lines.lines().map(plain).collect()
}
