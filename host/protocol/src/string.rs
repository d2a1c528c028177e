//! Strings, byte by byte where an escape asks for it, in long strides where none does.

use crate::scan::{base64_run, is_base64, plain_run};

/// What was learnt of a string while it passed; enough to leave the ordinary ones alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct StringFacts {
    /// It stands in apostrophes or holds `\'`: QEMU's extensions.
    pub(crate) extended: bool,
    /// It holds a `\`.
    pub(crate) escaped: bool,
    /// It holds bytes outside ASCII, which were not looked at further.
    pub(crate) non_ascii: bool,
    /// If it is longer than a few words and holds nothing but base64, padded at its end if at all: how many `=` are there. Whether its
    /// groups are whole its length says.
    pub(crate) base64: Option<u8>,
    /// The first thing wrong with its escapes.
    pub(crate) fault: Option<EscapeFault>,
}

/// An escape that no string may hold. The string still ends where its quote is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EscapeFault {
    /// `\` and something that is no escape.
    Unknown,
    /// `\u` without four hexadecimal digits, or half a surrogate pair.
    NotACharacter,
    /// `\u` with one of the code points that Unicode keeps for internal use, which QEMU refuses.
    Noncharacter,
}

/// Where a piece of a string ended.
pub(crate) enum StringEnd {
    /// Not in this piece.
    Later,
    /// With its closing quote.
    Closed,
    /// With a byte that cannot be in a string: a control character, 0xFE or 0xFF.
    Stray,
}

/// A string that has been opened and not closed.
#[derive(Debug)]
pub(crate) struct StringLexer {
    quote: u8,
    facts: StringFacts,
    inside: Inside,
    /// The first half of a surrogate pair, whose second half must come next.
    high: Option<u16>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Inside {
    Plain,
    Escape,
    Hexadecimal { digits: u8, value: u16 },
}

impl StringLexer {
    /// After the opening quote.
    pub(crate) fn new(quote: u8) -> Self {
        let facts = StringFacts { extended: quote == b'\'', base64: Some(0), ..StringFacts::default() };
        Self { quote, facts, inside: Inside::Plain, high: None }
    }

    pub(crate) fn facts(&self) -> StringFacts {
        self.facts
    }

    /// Whether no escape has begun and not ended.
    pub(crate) fn is_plain(&self) -> bool {
        self.inside == Inside::Plain
    }

    /// Takes what belongs to the string from `input`, the closing quote or stray byte included.
    pub(crate) fn feed(&mut self, input: &[u8]) -> (usize, StringEnd) {
        let mut at = 0;
        loop {
            if self.inside == Inside::Plain {
                let quick = if self.facts.base64 == Some(0) { base64_run(&input[at..]) } else { 0 };
                let rest = &input[at + quick..];
                let (run, non_ascii) = plain_run(rest, self.quote);
                self.facts.non_ascii |= non_ascii;
                self.facts.base64 = self.facts.base64.and_then(|padding| base64_goes_on(padding, &rest[..run]));
                if quick + run > 0 {
                    self.expect_no_second_half();
                }
                at += quick + run;
            }
            let Some(&byte) = input.get(at) else { return (at, StringEnd::Later) };
            at += 1;
            match self.byte(byte) {
                StringEnd::Later => {}
                end => return (at, end),
            }
        }
    }

    /// Takes one byte: in an escape, or one at which a plain run stopped.
    fn byte(&mut self, byte: u8) -> StringEnd {
        if !(0x20..0xFE).contains(&byte) {
            return StringEnd::Stray;
        }
        if let Inside::Hexadecimal { digits, value } = self.inside {
            match char::from(byte).to_digit(16) {
                Some(digit) => {
                    // Of four digits, so it fits.
                    let value = value << 4 | digit as u16;
                    if digits == 3 {
                        self.inside = Inside::Plain;
                        self.code_unit(value);
                    } else {
                        self.inside = Inside::Hexadecimal { digits: digits + 1, value };
                    }
                    return StringEnd::Later;
                }
                None => {
                    self.fault(EscapeFault::NotACharacter);
                    self.inside = Inside::Plain;
                }
            }
        }
        if self.inside == Inside::Escape {
            self.inside = Inside::Plain;
            if byte == b'u' {
                self.inside = Inside::Hexadecimal { digits: 0, value: 0 };
                return StringEnd::Later;
            }
            self.expect_no_second_half();
            match byte {
                b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => {}
                b'\'' => self.facts.extended = true,
                _ => self.fault(EscapeFault::Unknown),
            }
        } else if byte == b'\\' {
            self.facts.escaped = true;
            self.facts.base64 = None;
            self.inside = Inside::Escape;
        } else {
            self.expect_no_second_half();
            self.facts.non_ascii |= byte >= 0x80;
            if byte == self.quote {
                return StringEnd::Closed;
            }
        }
        StringEnd::Later
    }

    fn code_unit(&mut self, unit: u16) {
        let character = match (self.high.take(), unit) {
            (Some(high), 0xDC00..=0xDFFF) => 0x10000 + ((u32::from(high) & 0x3FF) << 10 | u32::from(unit) & 0x3FF),
            (Some(_), _) | (None, 0xDC00..=0xDFFF) => return self.fault(EscapeFault::NotACharacter),
            (None, 0xD800..=0xDBFF) => {
                self.high = Some(unit);
                return;
            }
            (None, _) => u32::from(unit),
        };
        if is_noncharacter(character) {
            self.fault(EscapeFault::Noncharacter);
        }
    }

    fn expect_no_second_half(&mut self) {
        if self.high.take().is_some() {
            self.fault(EscapeFault::NotACharacter);
        }
    }

    /// Keeps the worst: a noncharacter is only a fault for QEMU, the others are faults for everybody.
    fn fault(&mut self, fault: EscapeFault) {
        if matches!(self.facts.fault, None | Some(EscapeFault::Noncharacter)) {
            self.facts.fault = Some(fault);
        }
    }
}

/// How many `=` base64 ends in behind `contents`, if it ended in `padding` before; none if that is no base64.
fn base64_goes_on(padding: u8, contents: &[u8]) -> Option<u8> {
    contents.iter().try_fold(padding, |padding, &byte| match byte {
        b'=' => (padding < 2).then_some(padding + 1),
        _ => (padding == 0 && is_base64(byte)).then_some(0),
    })
}

/// U+FDD0 to U+FDEF and the last two code points of each plane. Unicode allows their interchange, QEMU does not.
pub(crate) fn is_noncharacter(character: u32) -> bool {
    (0xFDD0..=0xFDEF).contains(&character) || character & 0xFFFE == 0xFFFE
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Facts of a string given without its opening quote, checked to be the same however it is cut.
    fn facts(text: &[u8]) -> StringFacts {
        let mut whole = StringLexer::new(b'"');
        assert!(matches!(whole.feed(text), (used, StringEnd::Closed) if used == text.len()));
        for cut in 0..text.len() {
            let mut pieces = StringLexer::new(b'"');
            assert!(matches!(pieces.feed(&text[..cut]), (used, StringEnd::Later) if used == cut));
            assert!(matches!(pieces.feed(&text[cut..]), (used, StringEnd::Closed) if used == text.len() - cut));
            assert_eq!(pieces.facts(), whole.facts());
        }
        whole.facts()
    }

    fn fault(text: &[u8]) -> Option<EscapeFault> {
        facts(text).fault
    }

    #[test]
    fn good_escapes() {
        assert_eq!(facts(br#"guest-ping""#), StringFacts::default());
        assert_eq!(
            facts(br#"\"\\\/\b\f\n\r\t\u00e9\ud83d\uDE00""#),
            StringFacts { escaped: true, ..Default::default() }
        );
        assert!(facts(br#"\'""#).extended);
        assert!(facts(b"caf\xC3\xA9\"").non_ascii);
    }

    #[test]
    fn bad_escapes() {
        assert_eq!(fault(br#"\x""#), Some(EscapeFault::Unknown));
        assert_eq!(fault(b"\\\xC3\xA9\""), Some(EscapeFault::Unknown));
        for text in
            [r#"\u12""#, r#"\u12\"x""#, r#"\ud83d""#, r#"\ud83dx""#, r#"\ud83d\n""#, r#"\ud83d\u0041""#, r#"\udc00""#]
        {
            assert_eq!(fault(text.as_bytes()), Some(EscapeFault::NotACharacter), "{text}");
        }
        for text in [r#"\uffff""#, r#"\ufdd0""#, r#"\ud83f\udffe""#] {
            assert_eq!(fault(text.as_bytes()), Some(EscapeFault::Noncharacter), "{text}");
        }
        assert_eq!(fault(br#"\uffff\ud83d""#), Some(EscapeFault::NotACharacter));
    }

    #[test]
    fn base64_is_known_however_it_is_cut() {
        let long = "QUJD".repeat(30);
        for (padding, ends) in [(Some(0), ["", "0+/z"]), (Some(1), ["=", "A="]), (Some(2), ["==", "AA=="])] {
            for end in ends {
                assert_eq!(facts(format!("{long}{end}\"").as_bytes()).base64, padding, "{end}");
            }
        }
        for no in ["===", "=A", "A A", "-", "_", "\\n", "\\/", "\u{e9}", "'", "QUJD=QUJD"] {
            for (before, behind) in [(&*long, ""), ("", &*long), (&long, &long)] {
                assert_eq!(facts(format!("{before}{no}{behind}\"").as_bytes()).base64, None, "{no}");
            }
        }
    }

    #[test]
    fn control_characters_and_ff_end_a_string_at_once() {
        for text in [&b"a\tb\""[..], b"a\x00b\"", b"a\xFFb\"", b"\\\x01b\"", b"\\u\xFEb\""] {
            let (used, end) = StringLexer::new(b'"').feed(text);
            assert!(matches!(end, StringEnd::Stray));
            assert_eq!(used, text.len() - 2);
        }
    }
}
