//! Bytes of a client become requests.

use super::{Case, Repetition, sample};
use bulkhead_protocol::{Framer, Limits, Message};
use std::hint::black_box;

/// What the agent reads at once, in bytes (host/src/session.rs).
const READ: usize = 64 << 10;

const PING: &str = "{\"execute\":\"guest-ping\"}\n";

/// Half a message and the byte that throws it away, between a broken message and a whole one.
const RESYNCHRONISED: &[u8] = b"{\"execute\":ping,\"arguments\":[1,{\"a\":2}]}\n{\"execute\":\"guest-file-wr\xFF\
    {\"execute\":\"guest-sync-delimited\",\"arguments\":{\"id\":7}}\n";

pub(super) const CASES: &[Case] = &[
    Case { name: "wire-ping", what: "a guest-ping", count: 2000, prepare: || framed(PING.into(), 1, 0) },
    Case {
        name: "wire-arguments",
        what: "a guest-exec with an id and arguments",
        count: 500,
        prepare: || framed(with_arguments().into(), 1, 0),
    },
    Case {
        name: "wire-write",
        what: "a guest-file-write of 64 KiB of base64",
        count: 20,
        prepare: || framed(write().into(), 1, 0),
    },
    Case {
        name: "wire-pipelined",
        what: "a thousand times guest-ping at once",
        count: 5,
        prepare: || framed(PING.repeat(1000).into(), 1000, 0),
    },
    Case {
        name: "wire-resynchronised",
        what: "a broken message, half a one, 0xFF and a whole one",
        count: 500,
        prepare: || framed(RESYNCHRONISED.to_vec(), 1, 2),
    },
];

/// Reads `input`, which has so many requests and so many messages that are none, over one connection.
fn framed(input: Vec<u8>, requests: usize, rejected: usize) -> Repetition {
    let mut framer = Framer::new(Limits::default());
    Box::new(move || {
        let mut found = (0, 0);
        for piece in black_box(&input).chunks(READ) {
            framer.push(piece);
            while let Some(message) = framer.next() {
                match black_box(message) {
                    Message::Request(_) => found.0 += 1,
                    Message::Rejected(_) => found.1 += 1,
                }
            }
        }
        assert_eq!(found, (requests, rejected));
    })
}

fn with_arguments() -> &'static str {
    "{\"execute\": \"guest-exec\", \"id\": \"libvirt-1234\", \"arguments\": {\"path\": \"/usr/bin/systemctl\", \
     \"arg\": [\"restart\", \"nginx.service\"], \"env\": [\"LANG=C.UTF-8\"], \"capture-output\": true}}\n"
}

fn write() -> String {
    format!(
        "{{\"execute\": \"guest-file-write\", \"arguments\": {{\"handle\": 1000, \"buf-b64\": \"{}\"}}}}\n",
        sample::base64()
    )
}
