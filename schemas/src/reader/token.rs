//! Strings and numbers.

use super::{Dialect, Reader};
use crate::error::Fault;
use crate::value::Value;

impl Reader<'_> {
    /// What strings start and end with.
    pub(super) fn quote(&self) -> char {
        match self.dialect {
            Dialect::Json => '"',
            Dialect::Schema => '\'',
        }
    }

    /// A string; its opening quote is next.
    pub(super) fn string(&mut self) -> Result<String, Fault> {
        let quote = self.quote();
        self.at += 1;
        let mut text = String::new();
        loop {
            match self.rest().chars().next() {
                Some(c) if c == quote => {
                    self.at += 1;
                    return Ok(text);
                }
                Some('\\') if self.dialect == Dialect::Json => text.push(self.escape()?),
                Some(c) if c >= ' ' && c != '\\' => {
                    self.at += c.len_utf8();
                    text.push(c);
                }
                _ => return Err(self.unexpected("a character of a string")),
            }
        }
    }

    /// An escape sequence; its backslash is next.
    fn escape(&mut self) -> Result<char, Fault> {
        const SIMPLE: [(&str, char); 8] = [
            ("\\\"", '"'),
            ("\\\\", '\\'),
            ("\\/", '/'),
            ("\\b", '\u{8}'),
            ("\\f", '\u{c}'),
            ("\\n", '\n'),
            ("\\r", '\r'),
            ("\\t", '\t'),
        ];
        if let Some((_, c)) = SIMPLE.into_iter().find(|(sequence, _)| self.took(sequence)) {
            return Ok(c);
        }
        let at = self.at;
        let lone_surrogate = Fault::new(at, "half of a surrogate pair");
        let unit = self.code_unit()?;
        // Above the basic plane, JSON writes a character as two UTF-16 units.
        let code = match unit {
            0xd800..=0xdbff => match self.code_unit() {
                Ok(low @ 0xdc00..=0xdfff) => 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00),
                _ => return Err(lone_surrogate),
            },
            _ => unit,
        };
        char::from_u32(code).ok_or(lone_surrogate)
    }

    /// The number in `\uXXXX`.
    fn code_unit(&mut self) -> Result<u32, Fault> {
        let digits = self.rest().get(..6).and_then(|sequence| sequence.strip_prefix("\\u"));
        match digits.filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit())) {
            Some(digits) => {
                self.at += 6;
                u32::from_str_radix(digits, 16).map_err(|_| self.unexpected("four hexadecimal digits"))
            }
            None => Err(Fault::new(self.at, "expected an escape sequence of JSON")),
        }
    }

    /// A number; its first character is next.
    pub(super) fn number(&mut self) -> Result<Value, Fault> {
        let start = self.at;
        self.took("-");
        if !self.took("0") {
            self.digits()?;
        }
        let whole = self.at;
        if self.took(".") {
            self.digits()?;
        }
        if self.took("e") || self.took("E") {
            let _ = self.took("+") || self.took("-");
            self.digits()?;
        }
        // Only integers without end do not fit i128; as in QEMU they count as floating point.
        let int = if self.at == whole { self.text[start..whole].parse().ok() } else { None };
        Ok(int.map_or(Value::Number, Value::Int))
    }

    /// One digit or more.
    fn digits(&mut self) -> Result<(), Fault> {
        let rest = self.rest();
        let count = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        self.at += count;
        if count > 0 { Ok(()) } else { Err(self.unexpected("a digit")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Result<Value, Fault> {
        Reader::new(text, Dialect::Json).document().map(|node| node.value)
    }

    #[test]
    fn numbers_know_whether_they_are_whole() {
        assert_eq!(json("-0"), Ok(Value::Int(0)));
        assert_eq!(json("18446744073709551615"), Ok(Value::Int(u64::MAX.into())));
        for number in ["1.0", "0e1", "-2.5E-3", "1E400", &"9".repeat(60)] {
            assert_eq!(json(number), Ok(Value::Number), "{number}");
        }
        for bad in ["01", "+1", ".5", "1.", "-", "1e", "NaN", "0x1"] {
            assert!(json(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn strings_are_unescaped() {
        let text = r#""\" \\ \/ \b\f\n\r\t \u00e9 \ud83d\ude00""#;
        assert_eq!(json(text), Ok(Value::Str("\" \\ / \u{8}\u{c}\n\r\t \u{e9} \u{1f600}".to_owned())));
        for bad in [
            r#""\x""#,
            r#""\u12""#,
            r#""\u+123""#,
            r#""\ud800""#,
            r#""\ude00""#,
            "\"\n\"",
            "\"a",
            "\"\\u\u{e9}\u{e9}\"",
        ] {
            assert!(json(bad).is_err(), "{bad}");
        }
    }
}
