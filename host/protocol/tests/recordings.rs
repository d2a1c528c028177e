//! What the framer makes of everything that was ever sent to a real qemu-ga while its answers were recorded.
//!
//! A request is answered by the rest of the agent, so here it only counts that it is one and that its `id` comes back
//! as recorded. All other answers must be the recorded ones byte by byte, except that of a syntax error only the
//! words "JSON parse error" matter. The recordings lie beside the repository; without them the test says so and passes.

use bulkhead_protocol::{ErrorClass, Framer, Limits, Message, Reply, Success};
use serde_json::Value;
use std::path::Path;

const RECORDINGS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/conformance/qemu-ga-11.1.3.jsonl");

/// Longer inputs are not cut at every position.
const SHORT: usize = 2_000;

/// One step of the recordings: what was sent, and what came back.
struct Step {
    name: String,
    reconnects: bool,
    sent: Vec<u8>,
    answer: Answer,
}

enum Answer {
    Lines(Vec<String>),
    /// The length of the one line that came back, when it was too long to keep.
    Length(usize),
}

#[test]
fn every_recorded_input_is_answered_as_recorded() {
    let Some(steps) = steps() else { return };
    let mut framer = Framer::new(Limits::default());
    for step in &steps {
        if step.reconnects {
            framer = Framer::new(Limits::default());
        }
        // Another client's half message is not completed here, which is the one deliberate difference.
        if step.name == "reconnect-nested/new-request" {
            assert_eq!(read(&mut framer, &[&step.sent]).len(), 1);
            continue;
        }
        check(step, &read(&mut framer, &[&step.sent]));
    }
    assert!(steps.len() > 400, "only {} steps", steps.len());
}

#[test]
fn it_makes_no_difference_how_the_input_is_cut() {
    let Some(steps) = steps() else { return };
    for Step { name, sent, .. } in steps.iter().filter(|step| step.sent.len() < SHORT) {
        let whole = read(&mut Framer::new(Limits::default()), &[sent]);
        for cut in 0..sent.len() {
            let (first, second) = sent.split_at(cut);
            assert_eq!(read(&mut Framer::new(Limits::default()), &[first, second]), whole, "{name} cut at {cut}");
        }
        let bytes: Vec<_> = sent.chunks(1).collect();
        assert_eq!(read(&mut Framer::new(Limits::default()), &bytes), whole, "{name} byte by byte");
    }
}

/// The messages in `pieces`.
fn read(framer: &mut Framer, pieces: &[&[u8]]) -> Vec<Message> {
    let mut messages = Vec::new();
    for piece in pieces {
        framer.push(piece);
        messages.extend(std::iter::from_fn(|| framer.next()));
    }
    messages
}

fn check(step: &Step, messages: &[Message]) {
    let name = &step.name;
    match &step.answer {
        Answer::Length(length) => match messages {
            [Message::Request(request)] if request.execute() == "guest-ping" => {
                let mut success = Success::default();
                success.append(b"{}").expect("it is JSON");
                let reply = success.finish(request.id(), false).expect("it is whole");
                assert_eq!(reply.len(), *length, "{name}");
            }
            [Message::Request(_)] => {}
            other => panic!("{name}: {other:?}"),
        },
        Answer::Lines(lines) => {
            assert_eq!(messages.len(), lines.len(), "{name}: {messages:?} instead of {lines:?}");
            messages.iter().zip(lines).for_each(|(message, line)| check_line(name, message, line));
        }
    }
}

fn check_line(name: &str, message: &Message, line: &str) {
    match message {
        Message::Rejected(rejected) => {
            let ours = Reply::error(ErrorClass::GenericError, &rejected.desc, rejected.id.as_ref());
            let ours = String::from_utf8(ours.into_bytes()).expect("ASCII");
            let both_syntax = [&*ours, line].iter().all(|line| line.contains("JSON parse error"));
            assert!(both_syntax || ours.trim_end() == line, "{name}: {ours} instead of {line}");
        }
        Message::Request(request) => {
            for text in ["JSON parse error", "\"QMP input", "limit exceeded"] {
                assert!(!line.contains(text), "{name}: {request:?} instead of {line}");
            }
            // A bare `inf` is qemu-ga's own mistake.
            let known_mistake = name == "id-float-overflow";
            let id = request.id().map_or(String::new(), |id| format!("\"id\": {}", id.as_str()));
            assert!(line.contains(&id) || known_mistake, "{name}: {id} in {line}");
            assert_eq!(request.id().is_some(), line.contains("\"id\": ") && !id_is_the_returns(line), "{name}");
        }
    }
}

/// Whether the only `id` in the line is a member of what the command returned.
fn id_is_the_returns(line: &str) -> bool {
    serde_json::from_str::<Value>(line).is_ok_and(|value| value.get("id").is_none())
}

/// The recordings that need no root, or `None` if there are none here.
fn steps() -> Option<Vec<Step>> {
    let Ok(text) = std::fs::read_to_string(Path::new(RECORDINGS)) else {
        println!("skipped: no recordings of qemu-ga at {RECORDINGS}");
        return None;
    };
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("a recording"));
    let steps: Vec<_> = lines.filter(|line| line.get("profile").is_none()).map(|line| step(&line)).collect();
    Some(steps)
}

fn step(line: &Value) -> Step {
    let name = line["name"].as_str().expect("a name").to_owned();
    let sent = match line.get("send_gen") {
        Some(parts) => {
            let count = parts["count"].as_u64().expect("a count");
            [decode(&parts["prefix"]), decode(&parts["unit"]).repeat(count as usize), decode(&parts["suffix"])].concat()
        }
        None => decode(&line["send_b64"]),
    };
    let sent = match String::from_utf8(sent) {
        Ok(text) => with_values(&text).into_bytes(),
        Err(bytes) => bytes.into_bytes(),
    };
    let answer = match line.get("expect_len").and_then(Value::as_u64) {
        Some(length) => Answer::Length(length as usize),
        None => {
            let answer = decode(&line["expect_b64"]);
            Answer::Lines(String::from_utf8_lossy(&answer).lines().map(str::to_owned).collect())
        }
    };
    // Each session had an agent of its own.
    let first = line.get("step").is_none_or(|step| *step == 1);
    Step { name, reconnects: first || line.get("reconnect").is_some(), sent, answer }
}

/// Puts a number where `@@name@@` stands for a value of an earlier reply; here any will do.
fn with_values(text: &str) -> String {
    let parts: Vec<_> = text.split("@@").collect();
    let paired = parts.len() % 2 == 1;
    if paired { parts.into_iter().step_by(2).collect::<Vec<_>>().join("1000") } else { text.to_owned() }
}

fn decode(text: &Value) -> Vec<u8> {
    base64_simd::STANDARD.decode_to_vec(text.as_str().unwrap_or_default()).expect("base64")
}
