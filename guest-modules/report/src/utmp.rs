//! The record of logins, utmp(5), as the GNU C library lays it out on this processor.

use crate::system;

/// `ut_type` of a record that is none.
const EMPTY: u16 = 0;

/// `ut_type` of the login of a user.
const USER_PROCESS: u16 = 7;

/// Where `ut_user` is, and how long; the fields before it are alike everywhere.
const USER: std::ops::Range<usize> = 44..76;

/// How a record ends: on x86-64 it is as on 32-bit machines of old, for programs of both kinds share the file; on aarch64,
/// which has no such past, numbers are wide.
#[derive(Clone, Copy, Debug)]
pub enum Layout {
    /// Seconds and microseconds have 32 bits.
    Narrow,
    /// They have 64.
    Wide,
}

/// Somebody's login.
#[derive(Clone, Debug, PartialEq)]
pub struct Login {
    /// The name of the user.
    pub user: String,
    /// When, in seconds since 1970 began in UTC.
    pub time: f64,
}

impl Layout {
    /// That of a machine by its name, such as `x86_64` (uname(2)).
    pub fn of(machine: &[u8]) -> Self {
        if machine == b"aarch64" { Layout::Wide } else { Layout::Narrow }
    }

    /// How long a record is, in bytes.
    fn length(self) -> usize {
        match self {
            Layout::Narrow => 384,
            Layout::Wide => 400,
        }
    }

    /// `ut_tv`: seconds and microseconds.
    fn time(self, record: &[u8]) -> Option<(i64, i64)> {
        match self {
            Layout::Narrow => Some((narrow(record, 340)?.into(), narrow(record, 344)?.into())),
            Layout::Wide => Some((wide(record, 344)?, wide(record, 352)?)),
        }
    }
}

/// Whether somebody writes these records. Where nobody does, the file is absent or was left empty; where somebody does, the
/// start of the machine stands first.
pub fn is_kept(records: &[u8], layout: Layout) -> bool {
    records.chunks_exact(layout.length()).any(|record| record.first_chunk() != Some(&EMPTY.to_le_bytes()))
}

/// The logins of users in their order. The rest of a record that was cut off is passed over.
pub fn logins(records: &[u8], layout: Layout) -> impl Iterator<Item = Login> {
    records.chunks_exact(layout.length()).filter_map(move |record| login(record, layout))
}

fn login(record: &[u8], layout: Layout) -> Option<Login> {
    if record.first_chunk() != Some(&USER_PROCESS.to_le_bytes()) {
        return None;
    }
    let user = record.get(USER)?.split(|byte| *byte == 0).next()?;
    let (seconds, microseconds) = layout.time(record)?;
    Some(Login { user: system::text(user), time: seconds as f64 + microseconds as f64 / 1e6 })
}

fn narrow(record: &[u8], at: usize) -> Option<i32> {
    Some(i32::from_le_bytes(*record.get(at..)?.first_chunk()?))
}

fn wide(record: &[u8], at: usize) -> Option<i64> {
    Some(i64::from_le_bytes(*record.get(at..)?.first_chunk()?))
}

/// A record, for tests.
#[cfg(test)]
pub(crate) fn record(kind: u16, user: &[u8], seconds: i32, microseconds: i32) -> Vec<u8> {
    let mut record = vec![0; 384];
    record[..2].copy_from_slice(&kind.to_le_bytes());
    record[USER.start..USER.start + user.len()].copy_from_slice(user);
    record[76..80].copy_from_slice(b"host");
    record[340..344].copy_from_slice(&seconds.to_le_bytes());
    record[344..348].copy_from_slice(&microseconds.to_le_bytes());
    record
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_logins_of_users_count() {
        let records: Vec<u8> = (0..10).flat_map(|kind| record(kind, b"root", i32::from(kind), 0)).collect();
        let times: Vec<_> = logins(&records, Layout::Narrow).map(|login| login.time).collect();
        assert_eq!(times, [7.0]);
    }

    #[test]
    fn records_of_nothing_are_kept_by_nobody() {
        let kept = |records: &[u8]| is_kept(records, Layout::Narrow);
        for nothing in [Vec::new(), vec![7; 383], record(0, b"", 0, 0)] {
            assert!(!kept(&nothing), "{nothing:?}");
        }
        let booted = record(2, b"reboot", 1, 0);
        assert!(kept(&booted) && kept(&[record(0, b"", 0, 0), booted].concat()), "the start of the machine alone");
    }

    #[test]
    fn a_name_ends_with_its_field() {
        let records = [record(7, &[b'x'; 32], 1, 500_000), record(7, b"\xFF\0y", -1, 0)].concat();
        let found: Vec<_> = logins(&records, Layout::Narrow).collect();
        assert_eq!(found[0], Login { user: "x".repeat(32), time: 1.5 });
        assert_eq!(found[1], Login { user: "\u{FFFD}".to_owned(), time: -1.0 });
    }

    #[test]
    fn a_wide_record_has_wide_numbers() {
        let mut wide = record(7, b"ada", 0, 0);
        wide.resize(400, 0);
        wide[344..352].copy_from_slice(&5_000_000_000_i64.to_le_bytes());
        wide[352..360].copy_from_slice(&250_000_i64.to_le_bytes());
        let found: Vec<_> = logins(&wide, Layout::of(b"aarch64")).collect();
        assert_eq!(found, [Login { user: "ada".to_owned(), time: 5_000_000_000.25 }]);
        assert!(matches!(Layout::of(b"x86_64"), Layout::Narrow));
    }

    #[test]
    fn hostile_records_give_a_list() {
        for records in system::hostile(&[record(7, b"ada", 1, 2), record(7, b"bob", 3, 4)].concat()) {
            for layout in [Layout::Narrow, Layout::Wide] {
                assert!(logins(&records, layout).all(|login| login.time.is_finite()));
            }
        }
    }
}
