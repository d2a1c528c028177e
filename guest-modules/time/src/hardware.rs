//! The hardware clock without hwclock(8): what it shows, and how far that is from UTC.

use crate::bindings::bulkhead::agent::clock_setting::{self, Direction};
use crate::bindings::bulkhead::agent::{clock, system_files};
use bulkhead_module::ErrorCode;

/// Where hwclock(8) and the owner say whether the hardware clock shows UTC or local time.
const ADJTIME: &[u8] = b"/etc/adjtime";

/// Where the system's time zone is.
const LOCAL_TIME: &[u8] = b"/etc/localtime";

/// Why one clock did not follow the other.
#[derive(Debug, PartialEq, Eq)]
pub enum Failure {
    /// The VM has no hardware clock.
    Absent,
    /// It has one, and this is why it was not used.
    Told(String),
}

/// Has one clock follow the other, by the kernel's own hand.
pub fn follow(direction: Direction) -> Result<(), Failure> {
    let shown = clock_setting::hardware_time().map_err(failure)?;
    let read = |path: &[u8]| match system_files::read(path) {
        Ok(text) => Ok(Some(text)),
        Err(ErrorCode::NoEntry) => Ok(None),
        Err(code) => Err(Failure::Told(format!("failed to read '{}': {}", String::from_utf8_lossy(path), code.text()))),
    };
    let outcome = match direction {
        Direction::SystemToHardware => {
            let now = clock::now().div_euclid(1_000_000_000);
            clock_setting::set_hardware(ahead(At::Utc(now), read)?)
        }
        Direction::HardwareToSystem => clock_setting::set_from_hardware(ahead(At::Shown(shown), read)?),
    };
    outcome.map_err(failure)
}

fn failure(code: ErrorCode) -> Failure {
    match code {
        // No node of one, a node without a driver behind it, a kernel without any.
        ErrorCode::NoEntry | ErrorCode::NoDevice | ErrorCode::NoSuchDevice => Failure::Absent,
        code => Failure::Told(format!("failed to use the hardware clock: {}", code.text())),
    }
}

/// A moment, in seconds since 1970 began.
#[derive(Clone, Copy)]
enum At {
    /// In UTC.
    Utc(i64),
    /// As the hardware clock shows it.
    Shown(i64),
}

/// How far ahead of UTC the hardware clock is at a moment, in seconds. UTC it is unless the owner has said that it is local
/// time, or if nothing says where the system is.
fn ahead(at: At, read: impl Fn(&[u8]) -> Result<Option<Vec<u8>>, Failure>) -> Result<i32, Failure> {
    if !read(ADJTIME)?.is_some_and(|text| is_local(&text)) {
        return Ok(0);
    }
    let Some(zone) = read(LOCAL_TIME)? else { return Ok(0) };
    let ahead = match at {
        At::Utc(now) => bulkhead_zone::tzif::at(&zone, now).map(|local| local.offset),
        At::Shown(shown) => bulkhead_zone::ahead(&zone, shown),
    };
    Ok(ahead.and_then(|ahead| i32::try_from(ahead).ok()).unwrap_or_default())
}

/// The third line of the file, after two of figures, is `UTC` or `LOCAL`; see adjtime_config(5).
fn is_local(text: &[u8]) -> bool {
    text.split(|byte| *byte == b'\n').nth(2).is_some_and(|line| line.trim_ascii() == b"LOCAL")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file of a zone that is always three hours ahead.
    fn zone() -> Vec<u8> {
        let header = |kinds, names| [b"TZif2".as_slice(), &[0; 15], &[0; 19], &[kinds, 0, 0, 0, names]].concat();
        [header(0, 0), header(1, 4), vec![0, 0, 0x2A, 0x30, 0, 0], b"XYZ\0\n\n".to_vec()].concat()
    }

    fn with(adjtime: Option<&str>, zone: Option<Vec<u8>>, at: At) -> Result<i32, Failure> {
        ahead(at, |path| Ok(if path == ADJTIME { adjtime.map(|text| text.as_bytes().to_vec()) } else { zone.clone() }))
    }

    #[test]
    fn the_third_line_says_what_the_clock_shows() {
        for (text, local) in [
            ("0.0 0 0.0\n0\nLOCAL\n", true),
            ("0.0 0 0.0\n0\nLOCAL", true),
            ("0.0 0 0.0\r\n0\r\nLOCAL\r\n", true),
            ("\n\nLOCAL", true),
            ("0.0 0 0.0\n0\nUTC\n", false),
            ("LOCAL\n", false),
            ("0.0 0 0.0\n0\nlocal\n", false),
            ("0.0 0 0.0\n0\n", false),
            ("", false),
        ] {
            assert_eq!(is_local(text.as_bytes()), local, "{text:?}");
        }
    }

    #[test]
    fn local_time_is_ahead_by_the_zone_and_utc_by_nothing() {
        const LOCAL: Option<&str> = Some("0.0 0 0.0\n0\nLOCAL\n");
        for at in [At::Utc(1_795_343_121), At::Shown(1_795_343_121)] {
            assert_eq!(with(LOCAL, Some(zone()), at), Ok(10_800));
            assert_eq!(with(None, Some(zone()), at), Ok(0), "without the file it is UTC");
            assert_eq!(with(Some("0.0 0 0.0\n0\nUTC\n"), Some(zone()), at), Ok(0));
            assert_eq!(with(LOCAL, None, at), Ok(0), "without a zone local time is UTC");
            assert_eq!(with(LOCAL, Some(b"hello, world".to_vec()), at), Ok(0));
        }
    }

    /// A clock set by a wrong guess would be wrong by hours, and silently.
    #[test]
    fn what_must_not_be_read_is_not_guessed() {
        let denied = || Failure::Told("no".to_owned());
        assert_eq!(ahead(At::Utc(0), |_| Err(denied())), Err(denied()));
    }

    #[test]
    fn a_clock_that_is_not_there_is_told_from_one_that_fails() {
        for code in [ErrorCode::NoEntry, ErrorCode::NoDevice, ErrorCode::NoSuchDevice] {
            assert_eq!(failure(code), Failure::Absent);
        }
        let busy = "failed to use the hardware clock: Device or resource busy".to_owned();
        assert_eq!(failure(ErrorCode::Busy), Failure::Told(busy));
    }
}
