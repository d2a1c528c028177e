//! What udev has on record of a device: a file in /run/udev/data.

use crate::system;

/// A property of the device, from a line `E:NAME=value`. The last one counts; one without a value is none.
pub fn property(record: &[u8], name: &str) -> Option<String> {
    let value =
        |line: &'_ [u8]| Some(line.strip_prefix(b"E:")?.strip_prefix(name.as_bytes())?.strip_prefix(b"=")?.to_vec());
    let value = record.split(|byte| *byte == b'\n').rev().find_map(value)?;
    (!value.is_empty()).then(|| system::text(&value))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORD: &[u8] = b"S:disk/by-id/virtio-a\nI:61\nE:ID_SERIAL=a b=c\nE:ID_SERIAL_SHORT=x\nE:EMPTY=\nE:TWICE=1\nE:TWICE=2\nG:systemd\nE:ODD=\xFF";

    #[test]
    fn a_property_is_what_its_last_line_says() {
        assert_eq!(property(RECORD, "ID_SERIAL").as_deref(), Some("a b=c"));
        assert_eq!(property(RECORD, "TWICE").as_deref(), Some("2"));
        assert_eq!(property(RECORD, "ODD").as_deref(), Some("\u{FFFD}"));
        for none in ["EMPTY", "ID", "SERIAL", "I:61", ""] {
            assert_eq!(property(RECORD, none), None, "{none}");
        }
    }

    #[test]
    fn hostile_records_have_text_or_nothing() {
        for record in system::hostile(RECORD) {
            assert!(property(&record, "ID_SERIAL").is_none_or(|serial| !serial.is_empty()));
        }
    }
}
