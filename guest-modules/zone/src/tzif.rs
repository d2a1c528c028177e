//! Files of time zones, tzfile(5) and RFC 8536: the moments in which clocks changed, and a rule for the years beyond.

use crate::Local;
use crate::posix::Rules;

/// What clocks show at `time`, in seconds since 1970 began in UTC and one that fits in nanoseconds; nothing if the file is not as
/// RFC 8536 says.
///
/// Leap seconds are not looked at: the kernel's clock does not count them.
pub fn at(file: &[u8], time: i64) -> Option<Local> {
    let mut rest = Cursor(file);
    let (version, counts) = rest.header()?;
    let block = if version == 0 {
        rest.block(&counts, 4)?
    } else {
        // Numbers of 32 bits come first, for programs of old; then everything once more in 64.
        rest.block(&counts, 4)?;
        let (_, counts) = rest.header()?;
        rest.block(&counts, 8)?
    };
    let changes = block.times.chunks_exact(block.width).take_while(|moment| number(moment) <= time).count();
    let is_beyond = changes == block.times.len() / block.width;
    match rest.rules().filter(|_| is_beyond) {
        Some(rules) => Some(rules.at(time).clone()),
        // Before the first change, the first kind of time holds.
        None => block.kind(if changes == 0 { 0 } else { *block.kinds_of_times.get(changes - 1)? }),
    }
}

/// How many there are of what a block is made of.
struct Counts {
    universal: u32,
    standard: u32,
    leaps: u32,
    times: u32,
    kinds: u32,
    names: u32,
}

struct Block<'a> {
    /// How long a moment is, in bytes.
    width: usize,
    times: &'a [u8],
    kinds_of_times: &'a [u8],
    kinds: &'a [u8],
    names: &'a [u8],
}

impl Block<'_> {
    /// A kind of local time: its offset, whether it is summer time, and where its name begins.
    fn kind(&self, index: u8) -> Option<Local> {
        let kind: &[u8; 6] = self.kinds.as_chunks().0.get(usize::from(index))?;
        let name = self.names.get(usize::from(kind[5])..)?.split(|byte| *byte == 0).next()?;
        let is_plain = !name.is_empty() && name.iter().all(u8::is_ascii_graphic);
        let abbreviation = is_plain.then(|| String::from_utf8_lossy(name).into_owned());
        Some(Local { abbreviation, offset: number(&kind[..4]) })
    }
}

/// What is left of the file.
struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, count: u32, size: usize) -> Option<&'a [u8]> {
        let length = usize::try_from(count).ok()?.checked_mul(size)?;
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn count(&mut self) -> Option<u32> {
        let bytes = self.take(4, 1)?;
        Some(u32::from_be_bytes(*bytes.first_chunk()?))
    }

    /// The version, 0 for the first, and the counts.
    fn header(&mut self) -> Option<(u8, Counts)> {
        if self.take(4, 1)? != b"TZif" {
            return None;
        }
        let version = *self.take(16, 1)?.first()?;
        let (universal, standard, leaps) = (self.count()?, self.count()?, self.count()?);
        let (times, kinds, names) = (self.count()?, self.count()?, self.count()?);
        Some((version, Counts { universal, standard, leaps, times, kinds, names }))
    }

    fn block(&mut self, counts: &Counts, width: usize) -> Option<Block<'a>> {
        let times = self.take(counts.times, width)?;
        let kinds_of_times = self.take(counts.times, 1)?;
        let kinds = self.take(counts.kinds, 6)?;
        let names = self.take(counts.names, 1)?;
        self.take(counts.leaps, width + 4)?;
        self.take(counts.standard, 1)?;
        self.take(counts.universal, 1)?;
        Some(Block { width, times, kinds_of_times, kinds, names })
    }

    /// The rule for what comes after the last change stands between two line feeds; it may be empty.
    fn rules(&self) -> Option<Rules> {
        Rules::parse(self.0.strip_prefix(b"\n")?.split(|byte| *byte == b'\n').next()?)
    }
}

/// A signed number of four or eight bytes, the highest first.
fn number(bytes: &[u8]) -> i64 {
    match *bytes {
        [a, b, c, d] => i32::from_be_bytes([a, b, c, d]).into(),
        [a, b, c, d, e, f, g, h] => i64::from_be_bytes([a, b, c, d, e, f, g, h]),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bulkhead_test_support::hostile;

    /// A file with two kinds of time, ABC (+1) and DEF (+2), and these changes.
    fn file(version: u8, times: &[(i64, u8)], footer: &str) -> Vec<u8> {
        let block = |wide: bool| {
            let mut bytes = [b"TZif", [version].as_slice(), &[0; 15]].concat();
            for count in [0, 0, 1, times.len() as u32, 2, 8] {
                bytes.extend(u32::to_be_bytes(count));
            }
            for (time, _) in times {
                bytes.extend(if wide { time.to_be_bytes().to_vec() } else { (*time as i32).to_be_bytes().to_vec() });
            }
            bytes.extend(times.iter().map(|(_, kind)| kind));
            for (offset, name) in [(3600_i32, 0), (7200, 4)] {
                bytes.extend([offset.to_be_bytes().as_slice(), &[0, name]].concat());
            }
            bytes.extend(b"ABC\0DEF\0");
            bytes.extend(if wide { vec![0; 12] } else { vec![0; 8] });
            bytes
        };
        if version == 0 {
            return block(false);
        }
        [block(false), block(true), format!("\n{footer}\n").into_bytes()].concat()
    }

    fn shown(file: &[u8], time: i64) -> Option<(String, i64)> {
        at(file, time).map(|local| (local.abbreviation.unwrap_or_default(), local.offset))
    }

    fn some(abbreviation: &str, offset: i64) -> Option<(String, i64)> {
        Some((abbreviation.to_owned(), offset))
    }

    #[test]
    fn a_change_holds_until_the_next() {
        for version in [0, b'2', b'3', b'4'] {
            let file = file(version, &[(100, 1), (200, 0), (300, 1)], "");
            let expected =
                [(99, "ABC"), (100, "DEF"), (199, "DEF"), (200, "ABC"), (300, "DEF"), (9_000_000_000, "DEF")];
            for (time, abbreviation) in expected {
                assert_eq!(shown(&file, time).unwrap().0, abbreviation, "version {version}, {time}");
            }
        }
    }

    #[test]
    fn moments_beyond_32_bits_count() {
        let file = file(b'2', &[(5_000_000_000, 1)], "");
        assert_eq!(shown(&file, 4_999_999_999), some("ABC", 3600));
        assert_eq!(shown(&file, 5_000_000_000), some("DEF", 7200));
    }

    #[test]
    fn beyond_the_last_change_the_rule_counts() {
        let file = file(b'3', &[(100, 1)], "<+03>-3<+04>,M3.5.0/-1,M10.5.0");
        assert_eq!(shown(&file, 99), some("ABC", 3600));
        assert_eq!(shown(&file, 1_795_000_000), some("+03", 10_800));
        assert_eq!(shown(&file, 1_783_000_000), some("+04", 14_400));
        let broken = super::tests::file(b'2', &[(100, 1)], "junk");
        assert_eq!(shown(&broken, 200), some("DEF", 7200), "a broken rule is none");
    }

    #[test]
    fn without_changes_the_first_kind_or_the_rule_holds() {
        assert_eq!(shown(&file(b'2', &[], ""), 0), some("ABC", 3600));
        assert_eq!(shown(&file(b'2', &[], "XYZ-5"), 0), some("XYZ", 18_000));
    }

    #[test]
    fn a_name_that_cannot_be_shown_is_none() {
        let mut file = file(0, &[(0, 1)], "");
        let name = file.windows(3).position(|name| name == b"DEF").unwrap();
        file[name + 1] = 0xFF;
        assert_eq!(at(&file, 0), Some(Local { abbreviation: None, offset: 7200 }));
        file[name] = 0;
        assert_eq!(at(&file, 0).unwrap().abbreviation, None);
    }

    #[test]
    fn a_kind_that_is_not_there_is_an_error() {
        assert_eq!(at(&file(b'2', &[(0, 2)], ""), 0), None);
        for text in [b"".as_slice(), b"TZif", b"hello, world"] {
            assert_eq!(at(text, 0), None);
        }
    }

    #[test]
    fn counts_larger_than_the_file_are_an_error() {
        let valid = file(b'2', &[(0, 1)], "");
        for count in [20, 24, 28, 32, 36, 40] {
            for huge in [0x1555_5556_u32, 0x2AAA_AAAB, 0x2000_0000, u32::MAX] {
                let mut file = valid.clone();
                file[count..count + 4].copy_from_slice(&huge.to_be_bytes());
                assert_eq!(at(&file, 0), None, "{count} {huge}");
            }
        }
    }

    #[test]
    fn hostile_files_give_an_offset_or_nothing() {
        for file in hostile(&file(b'2', &[(100, 1), (200, 0)], "CET-1CEST,M3.5.0,M10.5.0/3")) {
            for time in [i64::MIN / 1_000_000_000, 0, 150, 1_795_000_000, i64::MAX / 1_000_000_000] {
                if let Some(local) = at(&file, time) {
                    assert!(local.offset.abs() <= 1 << 31);
                }
            }
        }
    }
}
