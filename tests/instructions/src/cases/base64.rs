//! Contents of files, as the module `file` writes them.

use super::{Case, Repetition, sample};
use bulkhead_module::base64::{Decoder, Measure};
use std::hint::black_box;

/// How much a module has of a long argument at once, in bytes (guest-modules/sdk/src/streamed.rs).
const WRITTEN: usize = 32 << 10;

pub(super) const CASES: &[Case] = &[
    Case {
        name: "base64-measured",
        what: "64 KiB of base64 are checked and measured",
        count: 20,
        prepare: || measured(sample::base64()),
    },
    Case {
        name: "base64-decoded",
        what: "64 KiB of base64 become bytes",
        count: 20,
        prepare: || decoded(sample::base64()),
    },
    Case {
        name: "base64-decoded-lines",
        what: "the same, with a line feed behind every 76 characters",
        count: 20,
        prepare: || decoded(lines(&sample::base64())),
    },
];

fn measured(text: String) -> Repetition {
    Box::new(move || {
        let mut measure = Measure::default();
        assert!(black_box(text.as_bytes()).chunks(WRITTEN).all(|piece| measure.add(piece).is_ok()));
        assert_eq!(measure.bytes(), 48 << 10);
    })
}

fn decoded(text: String) -> Repetition {
    Box::new(move || {
        let (mut decoder, mut bytes, mut count) = (Decoder::default(), Vec::new(), 0);
        for piece in black_box(text.as_bytes()).chunks(WRITTEN) {
            bytes.clear();
            assert!(decoder.decode(piece, &mut bytes).is_ok());
            count += black_box(&bytes).len();
        }
        assert_eq!(count, 48 << 10);
    })
}

fn lines(text: &str) -> String {
    let lines = text.as_bytes().chunks(76).map(|line| String::from_utf8_lossy(line));
    lines.flat_map(|line| [line, "\n".into()]).collect()
}
