//! Time zones: what clocks show in a place, and which moment it is when a clock shows something. Both forms in which a
//! system describes one are read here rather than by a library: those that were looked at are larger by far, or trust the
//! sizes in a file where the compartment has 32 bits.

pub mod calendar;
pub mod posix;
pub mod tzif;

/// What clocks show for a part of the year, or for years.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Local {
    /// The abbreviation, such as CET, if it has one that can be shown.
    pub abbreviation: Option<String>,
    /// How far ahead of UTC, in seconds; negative to the west.
    pub offset: i64,
}

/// How far ahead of UTC a clock is that shows `shown`, in seconds since 1970 began, as if it were UTC. `file` is the zone's,
/// as for [`tzif::at`].
///
/// Where clocks are put back, they show an hour twice: the first is meant. Where they are put forward, they do not show an
/// hour: one that does was not put forward yet.
pub fn ahead(file: &[u8], shown: i64) -> Option<i64> {
    /// No change of the clocks is nearer to the next one, and no zone is further ahead or behind.
    const DAY: i64 = 86_400;
    let before = tzif::at(file, shown.checked_sub(DAY)?)?.offset;
    let after = tzif::at(file, shown.checked_add(DAY)?)?.offset;
    let holds = |offset: i64| tzif::at(file, shown - offset).is_some_and(|local| local.offset == offset);
    Some(if !holds(before) && holds(after) { after } else { before })
}

#[cfg(test)]
mod tests {
    use super::*;
    use calendar::{days_before, first_day};

    /// A file without changes whose rule is `rule`: that of all years.
    fn by_rule(rule: &str) -> Vec<u8> {
        let block = [b"TZif2".as_slice(), &[0; 34], &[1, 0, 0, 0, 4], &[0; 6], b"XYZ\0"].concat();
        [block.as_slice(), &block, b"\n", rule.as_bytes(), b"\n"].concat()
    }

    fn shown(year: i64, month: i64, day: i64, hour: i64, minute: i64) -> i64 {
        (first_day(year) + days_before(month, year) + day - 1) * 86_400 + hour * 3600 + minute * 60
    }

    #[test]
    fn what_a_clock_shows_is_a_moment() {
        let berlin = by_rule("CET-1CEST,M3.5.0,M10.5.0/3");
        for (month, day, hour, minute, hours) in [
            (1, 1, 12, 0, 1),
            (7, 1, 12, 0, 2),
            // Forward at two o'clock: half past two is shown by nobody.
            (3, 29, 1, 59, 1),
            (3, 29, 2, 30, 1),
            (3, 29, 3, 0, 2),
            // Back at three o'clock: half past two is shown twice.
            (10, 25, 1, 59, 2),
            (10, 25, 2, 30, 2),
            (10, 25, 3, 0, 1),
        ] {
            assert_eq!(
                ahead(&berlin, shown(2026, month, day, hour, minute)),
                Some(hours * 3600),
                "{month}-{day} {hour}"
            );
        }
        assert_eq!(ahead(&by_rule("<-0330>3:30"), 0), Some(-12_600));
        assert_eq!(ahead(b"hello, world", 0), None);
        assert_eq!(ahead(&berlin, i64::MIN), None);
    }

    /// The C library and this one agree that Ireland's winter is behind its standard time, also beyond the year 2037, when
    /// the file's list ends; GLib, and with it qemu-ga, has it the other way round.
    #[test]
    fn winter_may_be_what_is_behind() {
        let dublin = by_rule("IST-1GMT0,M10.5.0,M3.5.0/1");
        for year in [2026, 2037, 2038, 2100] {
            let winter = tzif::at(&dublin, shown(year, 1, 15, 12, 0)).unwrap();
            assert_eq!((winter.abbreviation.as_deref(), winter.offset), (Some("GMT"), 0), "{year}");
            let summer = tzif::at(&dublin, shown(year, 7, 15, 12, 0)).unwrap();
            assert_eq!((summer.abbreviation.as_deref(), summer.offset), (Some("IST"), 3600), "{year}");
        }
    }
}
