//! The loops that have to be fast: skipping the plain contents of strings.

/// Bytes looked at together: two SSE2 registers, four 64-bit words where there is no SIMD. Written as a plain fold,
/// which the compiler turns into vector code.
const CHUNK: usize = 32;

/// The bytes at which a run may end; of the quotes only one does. Most strings are names, shorter than a chunk, and looked at byte
/// by byte, so each byte should cost one look.
const MAY_END: [bool; 256] = {
    let mut bytes = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        bytes[byte] = matches!(byte as u8, ..0x20 | b'"' | b'\'' | b'\\' | 0xFE..);
        byte += 1;
    }
    bytes
};

/// How many bytes at the start of `input` are ordinary string contents: neither `quote` nor `\`, no control
/// character, not 0xFE or 0xFF (which never occur in UTF-8 and reset the parser). Also tells whether any of them is
/// outside ASCII.
pub(crate) fn plain_run(input: &[u8], quote: u8) -> (usize, bool) {
    let mut seen = 0;
    let mut length = short_run(&input[..input.len().min(CHUNK)], quote, &mut seen);
    if length < CHUNK {
        return (length, seen >= 0x80);
    }
    for chunk in input[CHUNK..].as_chunks::<CHUNK>().0 {
        let (special, all) =
            chunk.iter().fold((false, 0), |(special, all), &byte| (special | is_special(byte, quote), all | byte));
        if special {
            break;
        }
        seen |= all;
        length += CHUNK;
    }
    length += short_run(&input[length..], quote, &mut seen);
    (length, seen >= 0x80)
}

/// How many bytes at the start of `input` are of base64's alphabet, counted in whole chunks: all but a few of a long string of it.
pub(crate) fn base64_run(input: &[u8]) -> usize {
    let is_base64 = |chunk: &&[u8; CHUNK]| chunk.iter().fold(true, |all, &byte| all & is_base64(byte));
    input.as_chunks().0.iter().take_while(is_base64).count() * CHUNK
}

/// Whether `byte` is of base64's alphabet (RFC 4648, section 4); the padding is not. Without short cuts, so that it vectorises.
pub(crate) fn is_base64(byte: u8) -> bool {
    let within = |byte: u8, first: u8, last: u8| byte.wrapping_sub(first) <= last - first;
    // Setting the bit 0x20 makes letters small, and letters of nothing else. The digits stand behind the slash.
    within(byte | 0x20, b'a', b'z') | within(byte, b'/', b'9') | (byte == b'+')
}

/// The same as [`plain_run`], byte by byte.
fn short_run(input: &[u8], quote: u8, seen: &mut u8) -> usize {
    for (length, &byte) in input.iter().enumerate() {
        if MAY_END[usize::from(byte)] && is_special(byte, quote) {
            return length;
        }
        *seen |= byte;
    }
    input.len()
}

/// Without short cuts, so that it vectorises.
fn is_special(byte: u8, quote: u8) -> bool {
    (byte < 0x20) | (byte == quote) | (byte == b'\\') | (byte >= 0xFE)
}

/// Whether all of `input` is ASCII that stays in its line: of the bytes below 0x20 only the tab may be there.
pub(crate) fn is_one_ascii_line(input: &[u8]) -> bool {
    // In blocks, so that a bad byte near the start of a long piece is found early.
    input
        .chunks(4096)
        .all(|block| block.iter().fold(true, |fine, &byte| fine & (byte < 0x80) & ((byte >= 0x20) | (byte == b'\t'))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_special_byte_is_found_at_every_offset() {
        for special in [b'"', b'\\', 0, b'\n', 0x1F, 0xFE, 0xFF] {
            for offset in 0..3 * CHUNK {
                let mut input = vec![b'a'; 3 * CHUNK];
                input[offset] = special;
                assert_eq!(plain_run(&input, b'"'), (offset, false), "{special:#x}");
            }
        }
    }

    #[test]
    fn only_bytes_inside_the_run_count_as_outside_ascii() {
        assert_eq!(plain_run(b"abc\"\xC3\xA9", b'"'), (3, false));
        let mut long = vec![b'a'; CHUNK];
        long.extend_from_slice(b"b\"\xC3\xA9");
        assert_eq!(plain_run(&long, b'"'), (CHUNK + 1, false));
        assert_eq!(plain_run("héllo".as_bytes(), b'"'), (6, true));
    }

    #[test]
    fn the_other_quote_and_del_are_ordinary() {
        assert_eq!(plain_run(b"a'b\x7f\"", b'"'), (4, false));
        assert_eq!(plain_run(b"a\"b'", b'\''), (3, false));
    }

    #[test]
    fn base64_is_its_alphabet() {
        let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        for byte in 0..=0xFF {
            assert_eq!(is_base64(byte), alphabet.contains(&byte), "{byte:#x}");
        }
        assert_eq!(base64_run(alphabet), 64);
        for length in [0, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK - 1] {
            assert_eq!(base64_run(&alphabet.repeat(2)[..length]), length / CHUNK * CHUNK);
        }
        for at in 0..64 {
            let mut text = *alphabet;
            text[at] = b'=';
            assert_eq!(base64_run(&text), at / CHUNK * CHUNK);
        }
    }

    #[test]
    fn one_line_of_ascii() {
        assert!(is_one_ascii_line(b"{\t\"a\": 1} ~\x7f"));
        for bad in [&b"a\nb"[..], b"\r", b"\0", b"\xC3\xA9", b"\xFF"] {
            assert!(!is_one_ascii_line(bad), "{bad:?}");
        }
    }
}
