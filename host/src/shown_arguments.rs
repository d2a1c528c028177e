//! What an owner may read of a client's arguments.
//!
//! Only what `schemas/audit.txt` names as shown, and of that a bounded piece. Of what it calls secret the length is told, and what
//! no schema knows is counted. The members are found by the reader that let the message in ([`bulkhead_protocol::Parts`]): there
//! is no second one that could disagree with it.

use bulkhead_border::request::Shown;
use bulkhead_catalog::commands::{Installed, shown_argument};
use bulkhead_protocol::{Parts, contents, meaning};

/// Bytes of a value that are told; what is longer is cut, and its length told. It bounds what one request costs whoever keeps
/// it. Names and paths of real files are shorter.
const SHOWN: usize = 256;

/// Elements of a list that are told; the rest is counted. It bounds the same, for the one list that is shown: of mount
/// points to be frozen, of which a VM has a handful.
const ELEMENTS: usize = 16;

/// The members of `text`, the arguments of `command`, as far as they may be seen, in their order; and how many no schema knows.
pub fn shown_arguments(command: &str, installed: Option<&Installed>, text: &str) -> (Vec<(String, Shown)>, u64) {
    let (mut shown, mut unknown) = (Vec::new(), 0);
    for part in Parts::of(text) {
        match shown_argument(command, installed, |name| meaning(part.name).eq(name.chars())) {
            None => unknown += 1,
            Some((name, true)) => shown.push((name.to_owned(), value(part.value))),
            Some((name, false)) => shown.push((name.to_owned(), secret(part.value))),
        }
    }
    (shown, unknown)
}

fn secret(text: &str) -> Shown {
    let elements = text.starts_with('[').then(|| Parts::of(text).count() as u64);
    Shown::Secret(text.len() as u64, elements)
}

/// A value as it is shown.
fn value(text: &str) -> Shown {
    if text.starts_with('[') { list(text) } else { scalar(text) }
}

fn list(text: &str) -> Shown {
    let mut parts = Parts::of(text);
    let mut shown: Vec<Shown> = parts.by_ref().take(ELEMENTS).map(|part| scalar(part.value)).collect();
    let more = parts.count() as u64;
    if more > 0 {
        shown.push(Shown::More(more));
    }
    Shown::List(shown)
}

/// A value that is neither object nor list; of those only the length.
fn scalar(text: &str) -> Shown {
    let bytes = text.len() as u64;
    match contents(text) {
        Some(contents) => string(bytes, contents),
        None if text.starts_with(['{', '[']) => Shown::Bytes(bytes),
        // A number or a word, so ASCII.
        None if text.len() > SHOWN => Shown::Cut(text[..SHOWN].to_owned(), bytes),
        None => Shown::Plain(text.to_owned()),
    }
}

fn string(bytes: u64, contents: &str) -> Shown {
    let mut piece = String::new();
    for character in meaning(contents) {
        if piece.len() + character.len_utf8() > SHOWN {
            return Shown::Cut(piece, bytes);
        }
        piece.push(character);
    }
    Shown::Text(piece)
}
