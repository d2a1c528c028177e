//! Lines of figures, as the kernel writes them in /proc.

/// The figures that a line goes on with, up to the first word that is none. A number that does not fit is none.
pub fn figures<'a>(words: impl Iterator<Item = &'a str>) -> Vec<u64> {
    words.map_while(figure).collect()
}

/// A number of decimal digits and nothing else.
pub fn figure(word: &str) -> Option<u64> {
    let digits = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| word.parse().ok()).flatten()
}

/// A number of hexadecimal digits and nothing else.
pub fn hexadecimal(word: &str) -> Option<u32> {
    let digits = word.bytes().all(|byte| byte.is_ascii_hexdigit());
    digits.then(|| u32::from_str_radix(word, 16).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_a_number_and_fits_is_a_figure() {
        assert_eq!(figures("1 18446744073709551615 0 x 4".split(' ')), [1, u64::MAX, 0]);
        for word in ["", "-1", "+1", "1.0", "18446744073709551616", "0x1", "١"] {
            assert_eq!(figure(word), None, "{word}");
        }
    }

    #[test]
    fn hexadecimal_numbers_have_no_sign_and_no_prefix() {
        assert_eq!((hexadecimal("1F"), hexadecimal("ffffffff")), (Some(0x1F), Some(u32::MAX)));
        for word in ["", "+1", "-1", "0x1", "100000000", "g"] {
            assert_eq!(hexadecimal(word), None, "{word}");
        }
    }
}
