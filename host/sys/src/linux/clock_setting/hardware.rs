//! The hardware clock, by rtc(4). Setting it needs CAP_SYS_TIME.

use super::Linux;
use crate::Clock;
use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::libc;
use nix::sys::stat::Mode;
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::{Duration, Instant};

/// Where it is: the first one, or the one that udev has linked.
const NODES: [&str; 2] = ["/dev/rtc0", "/dev/rtc"];

/// How often it is looked at until it begins a second. The system's clock is set as late as that at the most, which a client
/// on the other side of a socket cannot see; each look keeps the processor for a tenth of a millisecond.
const LOOK: Duration = Duration::from_millis(5);

/// Where its driver's name is.
const DRIVER: &str = "/sys/class/rtc/rtc0/name";

/// The clock of PCs begins its next second half a second after it was set, others a whole one.
const HALF: i64 = 500_000_000;

const SECOND: i64 = 1_000_000_000;

/// `struct rtc_time`: the first fields of `struct tm`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Fields {
    second: libc::c_int,
    minute: libc::c_int,
    hour: libc::c_int,
    day_of_month: libc::c_int,
    month: libc::c_int,
    year: libc::c_int,
    day_of_week: libc::c_int,
    day_of_year: libc::c_int,
    summer_time: libc::c_int,
}

mod ioctl {
    #![allow(unsafe_code, missing_docs, reason = "nix makes these functions from the numbers in linux/rtc.h")]
    use super::Fields;
    nix::ioctl_read!(rtc_read_time, b'p', 0x09, Fields);
    nix::ioctl_write_ptr!(rtc_set_time, b'p', 0x0A, Fields);
}

/// See [`crate::ClockSetting::hardware_time`].
pub(in crate::linux) fn time() -> Result<i64, Errno> {
    read(&open_clock()?)
}

/// See [`crate::ClockSetting::next_hardware_second`].
pub(in crate::linux) fn next_second(patience: Duration) -> Result<i64, Errno> {
    let clock = open_clock()?;
    let (first, end) = (read(&clock)?, Instant::now() + patience);
    while Instant::now() < end {
        std::thread::sleep(LOOK);
        match read(&clock)? {
            shown if shown != first => return Ok(shown),
            _ => {}
        }
    }
    Err(Errno::ETIMEDOUT)
}

/// See [`crate::ClockSetting::set_hardware_time`].
pub(in crate::linux) fn set(ahead: i64) -> Result<(), Errno> {
    let clock = open_clock()?;
    let (pause, second) = moment(Linux.now(), begins_late());
    std::thread::sleep(pause);
    write(&clock, second.saturating_add(ahead))
}

/// How far into a second it has to be set, in nanoseconds, to begin its seconds with the system's.
fn begins_late() -> i64 {
    let is_pc = |name: String| name.starts_with("rtc_cmos");
    // Where nothing is told of it, it is taken for that of a PC, as hwclock(8) does.
    if std::fs::read_to_string(DRIVER).map_or(true, is_pc) { HALF } else { 0 }
}

/// How long to wait from `now`, in nanoseconds since 1970 began, until so far into a second, and which second that is.
fn moment(now: i64, into: i64) -> (Duration, i64) {
    let pause = (into - now).rem_euclid(SECOND);
    (Duration::from_nanos(pause.unsigned_abs()), now.saturating_add(pause).div_euclid(SECOND))
}

fn open_clock() -> Result<OwnedFd, Errno> {
    let flags = OFlag::O_RDONLY | OFlag::O_CLOEXEC | OFlag::O_NONBLOCK;
    match open(NODES[0], flags, Mode::empty()) {
        Err(Errno::ENOENT) => open(NODES[1], flags, Mode::empty()),
        opened => opened,
    }
}

fn read(clock: &OwnedFd) -> Result<i64, Errno> {
    let mut fields = Fields::default();
    // SAFETY: the descriptor is open for the whole call, and the kernel writes a `struct rtc_time` to where it is told to.
    #[expect(unsafe_code, reason = "an ioctl")]
    unsafe { ioctl::rtc_read_time(clock.as_raw_fd(), &raw mut fields) }?;
    seconds(fields)
}

fn write(clock: &OwnedFd, time: i64) -> Result<(), Errno> {
    let fields = fields(time)?;
    // SAFETY: the descriptor is open for the whole call, and the kernel reads a `struct rtc_time` from there.
    #[expect(unsafe_code, reason = "an ioctl")]
    unsafe { ioctl::rtc_set_time(clock.as_raw_fd(), &raw const fields) }?;
    Ok(())
}

fn seconds(fields: Fields) -> Result<i64, Errno> {
    let mut tm = zeroed();
    (tm.tm_sec, tm.tm_min, tm.tm_hour) = (fields.second, fields.minute, fields.hour);
    (tm.tm_mday, tm.tm_mon, tm.tm_year) = (fields.day_of_month, fields.month, fields.year);
    // SAFETY: the call reads and writes this `tm` alone.
    #[expect(unsafe_code, reason = "timegm(3) takes a pointer")]
    let time = unsafe { libc::timegm(&raw mut tm) };
    // Its only error, a year beyond all seconds, cannot come from fields of 32 bits.
    Ok(time)
}

fn fields(time: i64) -> Result<Fields, Errno> {
    let mut tm = zeroed();
    // SAFETY: the call reads the number and writes to this `tm`, and nothing else.
    #[expect(unsafe_code, reason = "gmtime_r(3) takes pointers")]
    if unsafe { libc::gmtime_r(&raw const time, &raw mut tm) }.is_null() {
        return Err(Errno::EOVERFLOW);
    }
    Ok(Fields {
        second: tm.tm_sec,
        minute: tm.tm_min,
        hour: tm.tm_hour,
        day_of_month: tm.tm_mday,
        month: tm.tm_mon,
        year: tm.tm_year,
        day_of_week: tm.tm_wday,
        day_of_year: tm.tm_yday,
        summer_time: 0,
    })
}

fn zeroed() -> libc::tm {
    // SAFETY: a `tm` is integers and a pointer to a name that nobody reads, and may be zero.
    #[expect(unsafe_code, reason = "a struct of the C library's to write to")]
    unsafe {
        std::mem::zeroed()
    }
}

// Reading and setting it is tested where there is one: in a VM.
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_and_seconds_are_the_same_time() {
        // 2026-11-29 19:48:05, a Sunday, the 333rd day of the year.
        let time = 1_795_981_685;
        let expected = Fields {
            second: 5,
            minute: 48,
            hour: 19,
            day_of_month: 29,
            month: 10,
            year: 126,
            day_of_week: 0,
            day_of_year: 332,
            summer_time: 0,
        };
        assert_eq!(fields(time), Ok(expected));
        for time in [0, time, 951_782_400, 4_102_444_799] {
            assert_eq!(fields(time).and_then(seconds), Ok(time));
        }
        assert_eq!(fields(i64::MAX), Err(Errno::EOVERFLOW));
    }

    #[test]
    fn the_moment_is_the_next_one() {
        for (now, into, pause, second) in [
            (0, 0, 0, 0),
            (1, 0, 999_999_999, 1),
            (7 * SECOND + 100, HALF, 499_999_900, 7),
            (7 * SECOND + HALF, HALF, 0, 7),
            (7 * SECOND + HALF + 1, HALF, 999_999_999, 8),
            (-1, 0, 1, 0),
        ] {
            assert_eq!(moment(now, into), (Duration::from_nanos(pause), second), "{now} {into}");
        }
    }
}
