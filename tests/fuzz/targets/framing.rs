//! Arbitrary bytes from a client, in arbitrary pieces.
//!
//! The first byte of the input chooses the limits, the second seeds the cuts; the rest is what the client sends.
#![no_main]

use bulkhead_protocol::{Framer, Limits, Message};
use libfuzzer_sys::fuzz_target;
use serde::Deserialize;
use serde_json::Value;

/// Pieces are at most this long.
const PIECE: usize = 64;

/// Memory that a framer may hold beyond its limits: what it keeps for the next message.
const KEPT: usize = 128 << 10;

const RESET_AND_PING: &[u8] = b"\xFF{\"execute\":\"guest-ping\"}";

fuzz_target!(|input: &[u8]| {
    let [narrow, seed, sent @ ..] = input else { return };
    let limits = match narrow % 2 {
        0 => Limits::default(),
        _ => Limits { token_bytes: 48, tokens: 16, depth: 4 },
    };

    let mut framer = Framer::new(limits);
    let whole = read(&mut framer, sent);
    whole.iter().for_each(|message| check(message, limits));

    // However the bytes are cut, the messages are the same.
    let mut in_pieces = Framer::new(limits);
    let mut messages = Vec::new();
    let (mut rest, mut size) = (sent, usize::from(*seed));
    while !rest.is_empty() {
        size = (size * 31 + 7) % PIECE;
        let (piece, tail) = rest.split_at((size + 1).min(rest.len()));
        messages.extend(read(&mut in_pieces, piece));
        rest = tail;
    }
    assert_eq!(messages, whole);
    assert!(in_pieces.buffered() <= KEPT + 2 * limits.token_bytes);

    // Whatever came before, 0xFF makes the next request be heard.
    let last = read(&mut framer, RESET_AND_PING).pop();
    assert!(matches!(last, Some(Message::Request(ping)) if ping.execute() == "guest-ping" && ping.id().is_none()));
});

fn read(framer: &mut Framer, bytes: &[u8]) -> Vec<Message> {
    framer.push(bytes);
    std::iter::from_fn(|| framer.next()).collect()
}

fn check(message: &Message, limits: Limits) {
    match message {
        Message::Request(request) => {
            let arguments = parse(request.arguments());
            assert!(arguments.is_object());
            assert!(request.arguments().len() <= limits.token_bytes);
            assert_eq!(keys(&arguments), request_keys(request.arguments()), "a key twice");
            request.id().map(|id| check_id(id.as_str()));
        }
        Message::Rejected(rejected) => {
            rejected.id.as_ref().map(|id| check_id(id.as_str()));
        }
    }
}

fn check_id(id: &str) {
    parse(id);
    assert!(id.bytes().all(|byte| (0x20..0x7F).contains(&byte)));
}

fn parse(text: &str) -> Value {
    let mut parser = serde_json::Deserializer::from_str(text);
    parser.disable_recursion_limit();
    let value = Value::deserialize(&mut parser).expect("JSON");
    parser.end().expect("one value");
    value
}

/// How many keys all objects of the value have; of equal keys in one object, serde_json keeps one.
fn keys(value: &Value) -> usize {
    match value {
        Value::Object(members) => members.len() + members.values().map(keys).sum::<usize>(),
        Value::Array(elements) => elements.iter().map(keys).sum(),
        _ => 0,
    }
}

/// How many keys the text has: one for each colon outside strings.
fn request_keys(text: &str) -> usize {
    let (mut in_string, mut escaped, mut colons) = (false, false, 0);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => in_string = !in_string,
            b':' if !in_string => colons += 1,
            _ => {}
        }
    }
    colons
}
