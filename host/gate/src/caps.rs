//! What an open file may be used for: the settings of the rule that permitted it.

use crate::{Errno, Gate};
use bulkhead_policy::{Grant, Origin, Policy, Rate};
use bulkhead_sys::OpenFile;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::{Rc, Weak};
use std::time::{Duration, Instant};

/// In how many parts a meter divides its time. What moved in one part counts until the whole part is over, so a rule
/// of 60 seconds forgets a second late; a finer division would cost memory and give an honest client nothing.
const PARTS: u32 = 60;

/// An open file, and what it may be used for.
#[derive(Debug)]
pub struct Opened {
    /// The file.
    pub file: OpenFile,
    /// How far it may be used. It stays so when the policy changes.
    pub caps: Caps,
}

/// How far an open file may be used.
#[derive(Clone, Debug, Default)]
pub struct Caps {
    size: Option<u64>,
    appends: bool,
    meter: Option<Rc<RefCell<Meter>>>,
}

impl Caps {
    /// How large the file may be, in bytes. Where there is such a bound, [`Caps::readable`] and [`Caps::writable`] must be
    /// told where in the file.
    pub fn size(&self) -> Option<u64> {
        self.size
    }

    /// Whether what is written goes to the end, wherever it is read.
    pub fn appends(&self) -> bool {
        self.appends
    }

    /// How many of the `wanted` bytes may be read now, at `position` of a file of `length` bytes, or of one that has no
    /// positions. None is the end of the file, unless none were wanted.
    ///
    /// `EFBIG` if the file is larger than it may be, `EAGAIN` if enough was moved for now.
    pub fn readable(&self, at: Option<Position>, wanted: usize) -> Result<usize, Errno> {
        let within_size = match (self.size, at) {
            (Some(size), Some(Position { length, .. })) if length > size => return Err(Errno::EFBIG),
            // Nothing is behind the end; but files of the kernel have more than they tell.
            (Some(size), Some(Position { begin, length })) if begin >= size && begin != length => {
                return Err(Errno::EFBIG);
            }
            (Some(size), Some(Position { begin, .. })) => size - begin.min(size),
            _ => u64::MAX,
        };
        let left = self.left();
        if left == 0 && wanted > 0 {
            return Err(Errno::EAGAIN);
        }
        Ok(usize::try_from(within_size.min(left)).map_or(wanted, |most| most.min(wanted)))
    }

    /// Whether `count` bytes may be written now where `at` says; errors as of [`Caps::readable`]. All of them or none.
    pub fn writable(&self, at: Option<Position>, count: usize) -> Result<(), Errno> {
        let count = count as u64;
        let end = at.map(|Position { begin, .. }| begin.saturating_add(count));
        match (self.size, end) {
            (Some(size), Some(end)) if end > size && count > 0 => Err(Errno::EFBIG),
            _ if self.left() < count => Err(Errno::EAGAIN),
            _ => Ok(()),
        }
    }

    /// So many bytes were read or written.
    pub fn moved(&self, count: usize) {
        if let Some(meter) = &self.meter {
            meter.borrow_mut().add(Instant::now(), count as u64);
        }
    }

    fn left(&self) -> u64 {
        self.meter.as_ref().map_or(u64::MAX, |meter| meter.borrow_mut().left(Instant::now()))
    }
}

/// Where in a file something begins, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// From its start: where the next byte is read or written. Of a file that is appended to, its end if something is
    /// written.
    pub begin: u64,
    /// How long the file is, as far as it tells: files of the kernel often say nothing, though there are bytes to be
    /// read.
    pub length: u64,
}

/// What moved lately.
#[derive(Debug)]
struct Meter {
    rate: Rate,
    /// When a part of the time began, and how many bytes moved in it.
    parts: VecDeque<(Instant, u64)>,
}

impl Meter {
    fn new(rate: Rate) -> Self {
        Meter { rate, parts: VecDeque::new() }
    }

    fn part(&self) -> Duration {
        self.rate.within / PARTS
    }

    /// How many bytes may still move. In no time as long as the rate's do more move than the rate says.
    fn left(&mut self, now: Instant) -> u64 {
        let counts = self.rate.within + self.part();
        while self.parts.front().is_some_and(|(begin, _)| now.saturating_duration_since(*begin) >= counts) {
            self.parts.pop_front();
        }
        let moved = self.parts.iter().fold(0_u64, |sum, (_, bytes)| sum.saturating_add(*bytes));
        self.rate.bytes.saturating_sub(moved)
    }

    fn add(&mut self, now: Instant, count: u64) {
        let part = self.part();
        match self.parts.back_mut() {
            Some((begin, bytes)) if now.saturating_duration_since(*begin) < part => {
                *bytes = bytes.saturating_add(count)
            }
            _ => self.parts.push_back((now, count)),
        }
    }
}

/// The meters of the policy in force, one for each rule that has a rate: closing a file and opening it anew gains nothing.
#[derive(Debug, Default)]
pub(crate) struct Meters {
    policy: Weak<Policy>,
    list: Vec<(Origin, Rc<RefCell<Meter>>)>,
}

impl Gate {
    /// How far a file may be used that `rule` of `policy` permits.
    pub(crate) fn caps(&self, policy: &Rc<Policy>, rule: &Grant, appends: bool) -> Caps {
        let meter = |rate| self.meters.borrow_mut().of(policy, rule, rate);
        Caps { size: rule.size("size"), appends, meter: rule.rate("rate").map(meter) }
    }
}

impl Meters {
    fn of(&mut self, policy: &Rc<Policy>, rule: &Grant, rate: Rate) -> Rc<RefCell<Meter>> {
        let policy = Rc::downgrade(policy);
        if !self.policy.ptr_eq(&policy) {
            *self = Meters { policy, list: Vec::new() };
        }
        if let Some((_, known)) = self.list.iter().find(|(origin, _)| *origin == rule.origin) {
            return Rc::clone(known);
        }
        let meter = Rc::new(RefCell::new(Meter::new(rate)));
        self.list.push((rule.origin.clone(), Rc::clone(&meter)));
        meter
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sized(size: u64) -> Caps {
        Caps { size: Some(size), ..Caps::default() }
    }

    fn at(begin: u64, length: u64) -> Option<Position> {
        Some(Position { begin, length })
    }

    #[test]
    fn a_file_is_read_as_far_as_it_may_be_long() {
        let caps = sized(10);
        assert_eq!(caps.readable(at(0, 10), 100), Ok(10));
        assert_eq!(caps.readable(at(4, 6), 100), Ok(6), "it may grow meanwhile");
        assert_eq!(caps.readable(at(10, 10), 100), Ok(0), "the end");
        assert_eq!(caps.readable(at(0, 11), 1), Err(Errno::EFBIG));
        assert_eq!(caps.readable(at(10, 0), 1), Err(Errno::EFBIG), "the kernel's own files tell no length");
        assert_eq!(caps.readable(None, 100), Ok(100), "a FIFO has none");
        assert_eq!(Caps::default().readable(at(0, 11), 100), Ok(100));
    }

    #[test]
    fn no_write_makes_a_file_longer_than_it_may_be() {
        let caps = sized(10);
        assert_eq!(caps.writable(at(0, 0), 10), Ok(()));
        assert_eq!(caps.writable(at(3, 0), 8), Err(Errno::EFBIG));
        assert_eq!(caps.writable(at(u64::MAX, 0), 1), Err(Errno::EFBIG));
        assert_eq!(caps.writable(at(20, 20), 0), Ok(()));
        assert_eq!(caps.writable(at(3, 20), 7), Ok(()), "it does not grow by that");
        assert_eq!(caps.writable(None, 11), Ok(()));
    }

    #[test]
    fn in_no_time_more_moves_than_the_rate_says() {
        let begin = Instant::now();
        let mut meter = Meter::new(Rate { bytes: 100, within: Duration::from_secs(60) });
        assert_eq!(meter.left(begin), 100);
        for second in 0..50 {
            meter.add(begin + Duration::from_secs(second), 2);
        }
        assert_eq!(meter.left(begin + Duration::from_secs(59)), 0);
        assert_eq!(meter.left(begin + Duration::from_secs(61)), 2, "and as it gets old, more");
        assert_eq!(meter.left(begin + Duration::from_secs(200)), 100);
    }

    #[test]
    fn a_meter_needs_little_memory() {
        let begin = Instant::now();
        let mut meter = Meter::new(Rate { bytes: 1_000_000, within: Duration::from_secs(1) });
        for millisecond in 0..5000 {
            let now = begin + Duration::from_millis(millisecond);
            meter.left(now);
            meter.add(now, 1);
        }
        assert!(meter.parts.len() <= PARTS as usize + 2, "{}", meter.parts.len());
    }

    #[test]
    fn a_rate_bounds_reading_and_writing_together() {
        let meter = Meter::new(Rate { bytes: 10, within: Duration::from_secs(3600) });
        let caps = Caps { meter: Some(Rc::new(RefCell::new(meter))), ..Caps::default() };
        let other = caps.clone();
        assert_eq!(caps.writable(None, 11), Err(Errno::EAGAIN));
        assert_eq!(caps.writable(None, 6), Ok(()));
        caps.moved(6);
        assert_eq!(other.readable(None, 100), Ok(4));
        other.moved(4);
        assert_eq!(caps.readable(None, 1), Err(Errno::EAGAIN));
        assert_eq!(caps.readable(None, 0), Ok(0));
        assert_eq!(caps.writable(None, 0), Ok(()));
    }
}
