//! The schemas against what qemu-ga really answered.
//!
//! Every recorded request for a command that a schema defines, with its reply, goes through
//! [`Schema::check_return`](crate::Schema::check_return). So a member that is misspelt, of the wrong type, or wrongly
//! said to be always there, shows here.

use crate::reader::{Dialect, Reader};
use crate::value::{Entry, Node, Value};
use std::collections::BTreeSet;
use std::fs;

/// Commands of which the recordings have no return. Whoever records one takes it out.
const NOT_RECORDED: [&str; 3] = ["guest-get-disks", "guest-get-load", "guest-set-time"];

#[test]
fn qemu_ga_answers_as_the_schemas_say() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/conformance/qemu-ga-11.1.3.jsonl");
    let Ok(recordings) = fs::read_to_string(path) else {
        println!("skipped: no recordings at {path}");
        return;
    };
    let schemas = crate::load_all().unwrap();
    let mut checked = BTreeSet::new();
    for recording in recordings.lines() {
        let case = object(recording).expect("a recording is an object");
        let (Some(sent), Some(answered)) = (bytes(&case, "send_b64"), bytes(&case, "expect_b64")) else { continue };
        // A case with one request per line and one reply per line tells which belongs to which.
        if sent.lines().count() != answered.lines().count() {
            continue;
        }
        for (request, reply) in sent.lines().zip(answered.lines()) {
            // A recording has the process id of its own run only in the reply.
            let request = request.replace("@@pid@@", "0");
            let Some(command) = object(&request).and_then(|request| text(&request, "execute").map(str::to_owned))
            else {
                continue;
            };
            let reply = reply.trim_start_matches(char::REPLACEMENT_CHARACTER);
            let Some(schema) = schemas.iter().find(|schema| schema.command(&command).is_some()) else { continue };
            if let Some(value) = returned(reply) {
                schema.check_return(&command, value).unwrap_or_else(|error| panic!("{command} {reply}: {error}"));
                checked.insert(command);
            }
        }
    }
    let all = schemas.iter().flat_map(|schema| &schema.commands).filter(|command| command.success_response);
    let missing: Vec<_> = all.map(|command| command.name.as_str()).filter(|name| !checked.contains(*name)).collect();
    assert_eq!(missing, NOT_RECORDED, "left: no recorded return, right: said to have none");
}

/// In place of a recording: what qemu-ga 7.2.22 said of a virtio disk.
#[test]
fn qemu_ga_tells_of_a_disk_as_the_schema_says() {
    let told = r#"[{"name": "/dev/vda", "dependencies": [], "partition": false, "address": {"bus-type": "virtio",
        "bus": 0, "unit": 0, "pci-controller": {"bus": 0, "slot": 2, "domain": 0, "function": 0}, "dev": "/dev/vda",
        "target": 0}}]"#;
    assert_eq!(crate::load("report").unwrap().check_return("guest-get-disks", told), Ok(()));
}

/// The text of a reply's return.
fn returned(reply: &str) -> Option<&str> {
    let entries = object(reply)?;
    let index = entries.iter().position(|entry| entry.name == "return")?;
    let end = entries.get(index + 1).map_or(reply.len() - 1, |next| next.at - ", ".len());
    Some(&reply[entries[index].node.at..end])
}

fn object(text: &str) -> Option<Vec<Entry>> {
    match Reader::new(text, Dialect::Json).document() {
        Ok(Node { value: Value::Object(entries), .. }) => Some(entries),
        _ => None,
    }
}

fn text<'a>(entries: &'a [Entry], name: &str) -> Option<&'a str> {
    match &entries.iter().find(|entry| entry.name == name)?.node.value {
        Value::Str(text) => Some(text),
        _ => None,
    }
}

/// A member in Base64. What is not UTF-8, such as the sentinel, becomes replacement characters.
fn bytes(entries: &[Entry], name: &str) -> Option<String> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bytes, mut bits, mut count) = (Vec::new(), 0_u32, 0);
    for character in text(entries, name)?.bytes().filter(|byte| *byte != b'=') {
        let sextet = ALPHABET.iter().position(|letter| *letter == character)?;
        (bits, count) = (bits << 6 | u32::try_from(sextet).ok()?, count + 6);
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count & 0xff) as u8);
        }
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}
