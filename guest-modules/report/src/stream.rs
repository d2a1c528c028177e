//! Lists that may be long: a VM can have ten thousand disks, and the compartment's memory need not grow with them.

use bulkhead_module::{IntoReturn, Tail, append};
use serde::Serialize;

/// How much text is gathered before the host gets it, in bytes.
const PIECE: usize = 32 * 1024;

/// The list of all `entries` as a return. Each is made, written and dropped before the next is made.
pub fn list<T: Serialize>(entries: impl Iterator<Item = T>) -> Tail {
    write(entries, append)
}

fn write<T: Serialize>(entries: impl Iterator<Item = T>, mut append: impl FnMut(&[u8])) -> Tail {
    let mut text = String::from("[");
    for (index, entry) in entries.enumerate() {
        if index > 0 {
            text.push_str(", ");
        }
        text.push_str(&entry.into_return());
        if text.len() >= PIECE {
            append(text.as_bytes());
            text.clear();
        }
    }
    text.push(']');
    Tail(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written<T: Serialize>(entries: impl Iterator<Item = T>) -> (String, usize) {
        let (mut all, mut pieces) = (Vec::new(), 0);
        let Tail(last) = write(entries, |piece| {
            all.extend_from_slice(piece);
            pieces += 1;
        });
        (String::from_utf8(all).unwrap() + &last, pieces)
    }

    #[test]
    fn a_list_is_one_json_value_however_long() {
        assert_eq!(written([0; 0].iter()), ("[]".to_owned(), 0));
        assert_eq!(written([1, 2].iter()), ("[1, 2]".to_owned(), 0));
        let (text, pieces) = written(0..100_000);
        assert!(pieces > 10);
        let read: Vec<u32> = text[1..text.len() - 1].split(", ").map(|number| number.parse().unwrap()).collect();
        assert!(read.into_iter().eq(0..100_000));
    }
}
