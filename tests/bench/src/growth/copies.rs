//! Many modules of one: copies of a sample that differ in the name of their command.
//!
//! A module has to know the commands that its manifest lists, and a name cannot be read in a compiled one, where it is compared
//! as numbers: of `__com.example_answer` the last four letters are the operand of one instruction. A copy has others there.

use anyhow::{Result, ensure};

/// What the names of all copies' modules begin with; four digits follow.
const BEGIN: &str = "an";

/// The letters in the sample behind that.
const LETTERS: [u8; 4] = *b"swer";

/// The name of a copy, as in `com.example.NAME`, and its component. `number` has up to four digits.
pub(super) fn copy(sample: &[u8], number: usize) -> Result<(String, Vec<u8>)> {
    let digits = format!("{number:04}");
    let letters: [u8; 4] = digits.as_bytes().try_into()?;
    let (old, new) = (operand(LETTERS), operand(letters));
    let all = sample.windows(old.len()).enumerate();
    let places: Vec<usize> = all.filter(|(_, bytes)| *bytes == old).map(|(at, _)| at).collect();
    ensure!(places.len() == 1, "the name of the sample's command is in it {} times, not once", places.len());
    let mut component = sample.to_vec();
    component[places[0]..places[0] + new.len()].copy_from_slice(&new);
    Ok((format!("{BEGIN}{digits}"), component))
}

/// The number that four ASCII letters or digits are, as an operand: five groups of seven bits, the lowest first; all but the
/// last are marked.
fn operand(letters: [u8; 4]) -> [u8; 5] {
    let value = u32::from_le_bytes(letters);
    let group = |index: u32| (value >> (7 * index)) as u8 & 0x7f;
    [group(0) | 0x80, group(1) | 0x80, group(2) | 0x80, group(3) | 0x80, group(4)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_has_digits_in_the_place_of_letters() {
        let sample = [&b"before"[..], &operand(LETTERS), b"behind"].concat();
        let (name, copy) = copy(&sample, 7).expect("the letters are there once");
        assert_eq!(name, "an0007");
        assert_eq!(copy, [&b"before"[..], &operand(*b"0007"), b"behind"].concat());
    }

    #[test]
    fn a_sample_of_another_compiler_is_no_sample() {
        assert!(copy(b"swer", 1).is_err());
        assert!(copy(&[operand(LETTERS), operand(LETTERS)].concat(), 1).is_err());
    }

    #[test]
    fn an_operand_is_as_the_format_says() {
        // Of the number 0x72657773.
        assert_eq!(operand(LETTERS), [0xf3, 0xee, 0x95, 0x93, 0x07]);
    }
}
