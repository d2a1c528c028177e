//! `guest-get-timezone`: what the VM's clocks show besides UTC.

use crate::bindings::bulkhead::agent::identity::{self, Variable};
use crate::bindings::bulkhead::agent::{clock, system_files};
use crate::figures::figure;
use crate::schema::{GuestGetTimezoneArguments, GuestTimezone};
use bulkhead_module::CommandError;
use bulkhead_zone::posix::Rules;
use bulkhead_zone::{Local, tzif};

/// Where the system's time zone is.
const LOCAL_TIME: &[u8] = b"/etc/localtime";

/// Where time zones are by their names.
const FOLDER: &[u8] = b"/usr/share/zoneinfo/";

/// Tells the time zone that the owner gave the agent in TZ, else the system's; UTC if there is none that is understood.
pub fn timezone(_: GuestGetTimezoneArguments) -> Result<GuestTimezone, CommandError> {
    let variable = identity::environment(Variable::Tz);
    let now = clock::now().div_euclid(1_000_000_000);
    let local = local(variable.as_deref(), now, |path| system_files::read(path).ok());
    let Local { abbreviation, offset } = local.unwrap_or_else(|| fixed("UTC", 0));
    Ok(GuestTimezone { zone: abbreviation, offset })
}

/// What clocks show at `now`, in seconds since 1970 began in UTC.
fn local(variable: Option<&[u8]>, now: i64, read: impl Fn(&[u8]) -> Option<Vec<u8>>) -> Option<Local> {
    match variable {
        None => tzif::at(&read(LOCAL_TIME)?, now),
        Some(b"") => None,
        Some([b':', name @ ..]) => named(name, now, read),
        Some(text) => ahead(text)
            .or_else(|| named(text, now, read))
            .or_else(|| Rules::parse(text).map(|rules| rules.at(now).clone())),
    }
}

fn named(name: &[u8], now: i64, read: impl Fn(&[u8]) -> Option<Vec<u8>>) -> Option<Local> {
    let path = if name.starts_with(b"/") { name.to_vec() } else { [FOLDER, name].concat() };
    tzif::at(&read(&path)?, now)
}

/// An offset alone, with the sign of ISO 8601 and not of TZ: `+05`, `-03:30`, `+0530`, `5`, `Z`, `UTC`. No standard has it;
/// qemu-ga's library does.
fn ahead(text: &[u8]) -> Option<Local> {
    let name = str::from_utf8(text).ok()?;
    if name == "Z" || name == "UTC" {
        return Some(fixed(name, 0));
    }
    let (sign, time) = match text {
        [b'-', time @ ..] => (-1, time),
        [b'+', time @ ..] | time => (1, time),
    };
    Some(fixed(name, sign * seconds(time)?))
}

/// Two digits each of hours, minutes and seconds, with or without colons; one digit is an hour.
fn seconds(text: &[u8]) -> Option<i64> {
    if text.len() == 1 {
        return Some(3600 * number(text, 9)?);
    }
    let (mut total, mut rest) = (0, text);
    for (unit, most) in [(3600, 24), (60, 59), (1, 59)] {
        if unit < 3600 {
            if rest.is_empty() {
                break;
            }
            rest = rest.strip_prefix(b":").unwrap_or(rest);
        }
        let (digits, after) = rest.split_at_checked(2)?;
        total += unit * number(digits, most)?;
        rest = after;
    }
    rest.is_empty().then_some(total)
}

fn number(digits: &[u8], most: i64) -> Option<i64> {
    let number = figure(str::from_utf8(digits).ok()?)?;
    i64::try_from(number).ok().filter(|number| *number <= most)
}

fn fixed(name: &str, offset: i64) -> Local {
    Local { abbreviation: Some(name.to_owned()), offset }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::hostile;

    /// 2026-11-22.
    const NOW: i64 = 1_795_343_121;

    /// A file whose time is always `XYZ`, three hours ahead.
    fn file() -> Vec<u8> {
        let header = |kinds, names| [b"TZif2".as_slice(), &[0; 15], &[0; 19], &[kinds, 0, 0, 0, names]].concat();
        [header(0, 0), header(1, 4), vec![0, 0, 0x2A, 0x30, 0, 0], b"XYZ\0\n\n".to_vec()].concat()
    }

    fn told(variable: Option<&str>) -> (String, i64) {
        let files: [&[u8]; 4] =
            [LOCAL_TIME, b"/usr/share/zoneinfo/Place/City", b"/usr/share/zoneinfo/EST5", b"/own/zone"];
        let read = |path: &[u8]| files.contains(&path).then(file);
        let local = local(variable.map(str::as_bytes), NOW, read).unwrap_or_else(|| fixed("none", 0));
        (local.abbreviation.unwrap(), local.offset)
    }

    #[test]
    fn the_variable_comes_before_the_systems_zone() {
        assert_eq!(told(None), ("XYZ".to_owned(), 10_800));
        assert_eq!(told(Some("<-0330>3:30")), ("-0330".to_owned(), -12_600));
        assert_eq!(told(Some("")), ("none".to_owned(), 0), "empty is UTC");
    }

    #[test]
    fn a_zone_has_a_name_or_a_path_or_a_rule() {
        for variable in ["Place/City", ":Place/City", "/own/zone", ":/own/zone", ":EST5"] {
            assert_eq!(told(Some(variable)).0, "XYZ", "{variable}");
        }
        assert_eq!(told(Some("EST5")).0, "XYZ", "a file comes before a rule");
        assert_eq!(told(Some("EST5EDT")), ("EST".to_owned(), -18_000));
        for variable in ["No/Where", "/etc/none", ":", ":<-0330>3:30", "EST25"] {
            assert_eq!(told(Some(variable)).0, "none", "{variable}");
        }
    }

    #[test]
    fn an_offset_alone_has_the_other_sign() {
        for (variable, offset) in [
            ("Z", 0),
            ("UTC", 0),
            ("5", 18_000),
            ("+5", 18_000),
            ("05", 18_000),
            ("+0530", 19_800),
            ("-03:30", -12_600),
            ("-00:30", -1800),
            ("+05:30:15", 19_815),
            ("053015", 19_815),
            ("+24:30", 88_200),
        ] {
            assert_eq!(told(Some(variable)), (variable.to_owned(), offset));
        }
        for variable in ["+25", "+05:60", "+053", "530", "+5:3", "+05:30:", "+05 ", "++5", "utc", "Z0", "+", "05:30x"] {
            assert_eq!(told(Some(variable)).0, "none", "{variable}");
        }
    }

    #[test]
    fn hostile_variables_give_a_zone_or_none() {
        for text in hostile(b"CET-1CEST,M3.5.0,M10.5.0/3").into_iter().chain(hostile(b"+05:30:15")) {
            if let Some(local) = local(Some(&text), NOW, |_| None) {
                assert!(local.offset.abs() < 2 * 86_400);
            }
        }
    }
}
