//! Strings that use QEMU's extensions, rewritten as RFC 8259 has them.

use crate::fault::{Fault, LimitFault, SyntaxFault};
use crate::string::is_noncharacter;
use crate::text::{push_minimal, unescaped};

/// U+0000 as "modified UTF-8" writes it, to keep the byte 0 out of C strings. QEMU accepts it.
const MODIFIED_NUL: &[u8] = &[0xC0, 0x80];

/// Checks the raw characters of a string's contents. `Ok(false)` if they are right only with the modified NUL, so
/// that the string must be rewritten.
pub(crate) fn check_utf8(contents: &[u8]) -> Result<bool, SyntaxFault> {
    match std::str::from_utf8(contents) {
        Ok(text) => check_characters(text).map(|()| true),
        Err(_) => segments(contents).try_for_each(|segment| segment.map(drop)).map(|()| false),
    }
}

/// Writes the contents of a string anew, each character in its one shortest form. Refuses to make it longer than
/// `limit` bytes: a NUL grows from two bytes to six.
pub(crate) fn rewrite(contents: &[u8], limit: usize) -> Result<String, Fault> {
    let mut out = String::with_capacity(contents.len().min(limit));
    for (index, segment) in segments(contents).enumerate() {
        let between = (index > 0).then_some('\0');
        for character in between.into_iter().chain(unescaped(segment?)) {
            push_minimal(&mut out, character);
            if out.len() > limit {
                return Err(LimitFault::TokenBytes.into());
            }
        }
    }
    Ok(out)
}

/// What stands between the modified NULs.
fn segments(contents: &[u8]) -> impl Iterator<Item = Result<&str, SyntaxFault>> {
    let mut rest = Some(contents);
    std::iter::from_fn(move || {
        let all = rest?;
        let end = all.windows(MODIFIED_NUL.len()).position(|bytes| bytes == MODIFIED_NUL);
        rest = end.map(|end| &all[end + MODIFIED_NUL.len()..]);
        let segment = &all[..end.unwrap_or(all.len())];
        Some(match std::str::from_utf8(segment) {
            Ok(text) => check_characters(text).map(|()| text),
            Err(_) => Err(SyntaxFault::Utf8),
        })
    })
}

fn check_characters(text: &str) -> Result<(), SyntaxFault> {
    if text.chars().any(|character| is_noncharacter(u32::from(character))) {
        return Err(SyntaxFault::Utf8);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_utf8_stays_as_it_is() {
        assert_eq!(check_utf8("é€😀".as_bytes()), Ok(true));
        assert_eq!(check_utf8("\u{10FFFD}\x7F".as_bytes()), Ok(true));
    }

    #[test]
    fn bad_utf8_is_a_fault() {
        for bad in [
            &b"\xC3("[..],
            b"\x80",
            b"\xE2\x82",
            b"\xC0\xAF",
            b"\xED\xA0\x80",
            b"\xF4\x90\x80\x80",
            b"\xEF\xBF\xBE",
            b"\xEF\xB7\x90",
            b"\xF0\x9F\xBF\xBE",
            b"\xF4\x8F\xBF\xBF",
            b"\xC0\x80\xEF\xBF\xBF",
            b"a\xC0",
        ] {
            assert_eq!(check_utf8(bad), Err(SyntaxFault::Utf8), "{bad:?}");
        }
    }

    #[test]
    fn the_modified_nul_is_escaped() {
        assert_eq!(check_utf8(b"a\xC0\x80\xC0\x80b"), Ok(false));
        assert_eq!(rewrite(b"a\xC0\x80\xC0\x80b\xC0\x80", 100), Ok(r"a\u0000\u0000b\u0000".into()));
    }

    #[test]
    fn each_character_gets_its_shortest_form() {
        assert_eq!(rewrite(br#"a"b\'\"\/\u00e9\u0041\u001F"#, 100), Ok("a\\\"b'\\\"/éA\\u001F".into()));
    }

    #[test]
    fn growth_is_bounded() {
        assert_eq!(rewrite(&b"\xC0\x80".repeat(10), 60).map(|text| text.len()), Ok(60));
        assert_eq!(rewrite(&b"\xC0\x80".repeat(10), 59), Err(LimitFault::TokenBytes.into()));
    }
}
