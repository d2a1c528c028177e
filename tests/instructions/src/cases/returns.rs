//! What a module returns is checked, and becomes a reply.

use super::{Case, Repetition, sample};
use bulkhead_protocol::{ReturnChecker, Success};
use std::hint::black_box;

pub(super) const CASES: &[Case] = &[
    Case {
        name: "return-info",
        what: "4 KB of many short members, as guest-info has them",
        count: 100,
        prepare: || checked(info()),
    },
    Case {
        name: "return-long",
        what: "64 KiB in one string",
        count: 20,
        prepare: || checked(format!("{{\"text\": \"{}\"}}", sample::base64())),
    },
    Case { name: "reply-read", what: "48 KiB that become base64 as they are sent", count: 20, prepare: replied },
];

fn checked(text: String) -> Repetition {
    Box::new(move || {
        let mut checker = ReturnChecker::default();
        assert_eq!(checker.feed(black_box(text.as_bytes())).and_then(|()| checker.finish()), Ok(()));
    })
}

fn replied() -> Repetition {
    let bytes = sample::bytes();
    let mut sent = Vec::new();
    Box::new(move || {
        let mut success = Success::default();
        let whole = success
            .append(b"{\"buf-b64\": \"")
            .and_then(|()| success.append_base64(black_box(&bytes).clone()))
            .and_then(|()| success.append(b"\", \"count\": 49152, \"eof\": false}"))
            .and_then(|()| success.finish(None, false));
        sent.clear();
        let mut reply = whole.expect("it is one value");
        reply.take(&mut sent, usize::MAX);
        assert_eq!(sent.len(), (64 << 10) + 58);
    })
}

/// With commands of its own, so that a new one of the agent's does not change the count.
fn info() -> String {
    let command =
        |number| format!("{{\"enabled\": true, \"name\": \"guest-command-{number:02}\", \"success-response\": true}}");
    let commands: Vec<String> = (0..56).map(command).collect();
    format!("{{\"version\": \"11.1.3\", \"supported_commands\": [{}]}}", commands.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reply_has_four_kilobytes() {
        assert!((3900..4200).contains(&info().len()), "{}", info().len());
    }
}
