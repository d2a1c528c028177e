//! The client's `id`, spelt as qemu-ga would echo it.

use crate::text::{push_escaped, unescaped};

/// The `id` of a request: any JSON value, which comes back with the reply.
///
/// It is kept as JSON text in qemu-ga's spelling: `", "` and `": "` as separators, ASCII only, integers of 64 bits as
/// they are, other numbers as C's `%.17g` writes them. Two things differ from qemu-ga: members keep the client's order
/// (qemu-ga's is that of a hash), and a number too large for a double comes back as the client wrote it (qemu-ga
/// answers with a bare `inf`, which is not JSON).
///
/// The text can be longer than the client's by a small factor: six bytes for a character of two, 19 for `0.1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Id(String);

impl Id {
    /// The JSON text: one value, in one line of ASCII.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// From strict JSON without white space between tokens.
    pub(crate) fn new(json: &str) -> Self {
        let mut out = String::with_capacity(json.len());
        let mut rest = json;
        while let Some(first) = rest.chars().next() {
            let length = match first {
                '"' => string_length(rest),
                '-' | '0'..='9' => rest.find([',', ']', '}']).unwrap_or(rest.len()),
                _ => first.len_utf8(),
            };
            let (token, tail) = rest.split_at(length);
            match first {
                '"' => push_string(&mut out, token),
                '-' | '0'..='9' => push_number(&mut out, token),
                ',' => out.push_str(", "),
                ':' => out.push_str(": "),
                _ => out.push(first),
            }
            rest = tail;
        }
        Self(out)
    }
}

/// How long the string is with which `text` begins, quotes included.
fn string_length(text: &str) -> usize {
    let mut escaped = false;
    let end = text.bytes().skip(1).position(|byte| {
        let closes = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        closes
    });
    end.map_or(text.len(), |index| index + 2)
}

fn push_string(out: &mut String, token: &str) {
    let contents = token.get(1..token.len() - 1).unwrap_or_default();
    out.push('"');
    if contents.contains('\\') {
        let text: String = unescaped(contents).collect();
        push_escaped(out, &text);
    } else {
        push_escaped(out, contents);
    }
    out.push('"');
}

fn push_number(out: &mut String, token: &str) {
    if token.parse::<i64>().is_ok() || token.parse::<u64>().is_ok() {
        return out.push_str(token);
    }
    match token.parse::<f64>() {
        Ok(number) if number.is_finite() => push_double(out, number),
        _ => out.push_str(token),
    }
}

/// As C's `%.17g`: 17 significant digits without trailing zeros, with an exponent if it is below -4 or above 16.
fn push_double(out: &mut String, number: f64) {
    let scientific = format!("{number:.16e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let negative = mantissa.starts_with('-');
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let digits = digits.trim_end_matches('0');
    if negative {
        out.push('-');
    }
    if !(-4..17).contains(&exponent) {
        let (first, rest) = digits.split_at(digits.len().min(1));
        out.push_str(first);
        push_fraction(out, rest);
        let sign = if exponent < 0 { '-' } else { '+' };
        out.push_str(&format!("e{sign}{:02}", exponent.abs()));
    } else if exponent < 0 {
        out.push_str("0.");
        (exponent..-1).for_each(|_| out.push('0'));
        out.push_str(digits);
    } else {
        // Not negative, at most 16.
        let whole = exponent as usize + 1;
        let padded = format!("{digits:0<whole$}");
        let (integer, rest) = padded.split_at(whole);
        out.push_str(integer);
        push_fraction(out, rest);
    }
}

fn push_fraction(out: &mut String, digits: &str) {
    if !digits.is_empty() {
        out.push('.');
        out.push_str(digits);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(json: &str) -> String {
        Id::new(json).0
    }

    #[test]
    fn numbers_as_recorded() {
        for (sent, echoed) in [
            ("1", "1"),
            ("1.0", "1"),
            ("1e3", "1000"),
            ("1.25e-3", "0.00125"),
            ("9223372036854775807", "9223372036854775807"),
            ("-9223372036854775808", "-9223372036854775808"),
            ("18446744073709551615", "18446744073709551615"),
            ("18446744073709551616", "1.8446744073709552e+19"),
            ("-9223372036854775809", "-9.2233720368547758e+18"),
            ("0.1", "0.10000000000000001"),
            ("0.30000000000000004", "0.30000000000000004"),
            ("-0.0", "-0"),
            ("0e5", "0"),
            ("1e-400", "0"),
            ("5e-324", "4.9406564584124654e-324"),
            ("1e16", "10000000000000000"),
            ("1e17", "1e+17"),
            ("123456789012345678e0", "1.2345678901234568e+17"),
            ("1e-4", "0.0001"),
            ("1e-5", "1.0000000000000001e-05"),
            ("-1E+22", "-1e+22"),
            ("1e300", "1.0000000000000001e+300"),
            ("12.5", "12.5"),
        ] {
            assert_eq!(id(sent), echoed, "{sent}");
        }
    }

    #[test]
    fn a_number_too_large_for_a_double_comes_back_as_sent() {
        assert_eq!(id("[1e999,-1E+999]"), "[1e999, -1E+999]");
    }

    #[test]
    fn strings_and_structure_as_recorded() {
        for (sent, echoed) in [
            (r#"{"a":[1,{"b":null}],"Z":[[],{}]}"#, r#"{"a": [1, {"b": null}], "Z": [[], {}]}"#),
            (r#""""#, r#""""#),
            (r#""a,b:c\"""#, r#""a,b:c\"""#),
            (r#"["\\","\\\""]"#, r#"["\\", "\\\""]"#),
            (r#""\u0001\u001f\u007f\b\f\n\r\t\/""#, r#""\u0001\u001F\u007F\b\f\n\r\t/""#),
            ("[\"é€😀~\x7F\",true]", r#"["\u00E9\u20AC\uD83D\uDE00~\u007F", true]"#),
            (r#""a\u0000b""#, r#""a\u0000b""#),
            (r#""<&>'""#, r#""<&>'""#),
        ] {
            assert_eq!(id(sent), echoed, "{sent}");
        }
    }
}
