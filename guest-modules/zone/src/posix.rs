//! Rules of a time zone in the form of the variable TZ, tzset(3): `CET-1CEST,M3.5.0,M10.5.0/3`. Files of time zones end with
//! one, for the years beyond their list (RFC 8536).

use crate::Local;
use crate::calendar::{days_before, first_day, is_leap, year_of};

/// Seconds in a day.
const DAY: i64 = 86_400;

/// When summer time is for those who do not say: what the C library takes for granted, the rule of the United States.
const SUMMER: &[u8] = b",M3.2.0,M11.1.0";

/// A time zone by rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    standard: Local,
    summer: Option<Summer>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Summer {
    local: Local,
    start: Change,
    end: Change,
}

/// A change of the clocks, once a year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Change {
    day: Day,
    /// Seconds from the day's beginning, by the clocks before they are changed.
    time: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Day {
    /// From 1 to 365; the 29th of February is not counted.
    Julian(i64),
    /// From 0 to 365.
    Ordinal(i64),
    /// From 1 to 12, the weekday's first to last (5) in the month, and the weekday from Sunday (0).
    Weekday { month: i64, week: i64, weekday: i64 },
}

impl Rules {
    /// Reads rules; nothing if they are not as the manual page says.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let mut rest = Cursor(text);
        let (abbreviation, offset) = (rest.name()?, -rest.time(24)?);
        let standard = Local { abbreviation: Some(abbreviation), offset };
        if rest.0.is_empty() {
            return Some(Rules { standard, summer: None });
        }
        let abbreviation = Some(rest.name()?);
        let offset = if matches!(rest.0, [] | [b',', ..]) { offset + 3600 } else { -rest.time(24)? };
        if rest.0.is_empty() {
            rest = Cursor(SUMMER);
        }
        let (start, end) = (rest.change()?, rest.change()?);
        let summer = Summer { local: Local { abbreviation, offset }, start, end };
        rest.0.is_empty().then_some(Rules { standard, summer: Some(summer) })
    }

    /// What clocks show at `time`, in seconds since 1970 began in UTC; a time that fits in nanoseconds.
    pub fn at(&self, time: i64) -> &Local {
        let Some(summer) = &self.summer else { return &self.standard };
        let year = year_of(time.div_euclid(DAY));
        // A change may be a week away from its year. Where summer ends in the moment in which it begins, it goes on.
        let changes = (year - 2..=year + 1).flat_map(|year| {
            let end = (summer.end.moment(year) - summer.local.offset, false);
            let start = (summer.start.moment(year) - self.standard.offset, true);
            [end, start]
        });
        match changes.filter(|(moment, _)| *moment <= time).max() {
            Some((_, true)) => &summer.local,
            _ => &self.standard,
        }
    }
}

impl Change {
    /// In seconds since 1970 began by the clocks before they are changed.
    fn moment(self, year: i64) -> i64 {
        self.day.of(year) * DAY + self.time
    }
}

impl Day {
    /// In days since 1970 began.
    fn of(self, year: i64) -> i64 {
        let first = first_day(year);
        match self {
            Day::Julian(day) => first + day - 1 + i64::from(is_leap(year) && day > 59),
            Day::Ordinal(day) => first + day,
            Day::Weekday { month, week, weekday } => {
                let month_begins = first + days_before(month, year);
                // The first of 1970 was a Thursday.
                let until_weekday = (weekday - (month_begins + 4)).rem_euclid(7);
                let day = month_begins + until_weekday + 7 * (week - 1);
                if day < first + days_before(month + 1, year) { day } else { day - 7 }
            }
        }
    }
}

/// What is left of the text.
struct Cursor<'a>(&'a [u8]);

impl Cursor<'_> {
    fn accept(&mut self, byte: u8) -> bool {
        let accepted = self.0.first() == Some(&byte);
        if accepted {
            self.0 = &self.0[1..];
        }
        accepted
    }

    /// As many bytes as are `wanted`, and the cursor behind them.
    fn take(&mut self, wanted: impl Fn(u8) -> bool) -> &[u8] {
        let length = self.0.iter().take_while(|byte| wanted(**byte)).count();
        let (taken, rest) = self.0.split_at(length);
        self.0 = rest;
        taken
    }

    /// Three letters or more; in angle brackets digits and signs, too.
    fn name(&mut self) -> Option<String> {
        let quoted = self.accept(b'<');
        let name =
            self.take(|byte| byte.is_ascii_alphabetic() || quoted && (byte.is_ascii_digit() || b"+-".contains(&byte)));
        let name = (name.len() >= 3).then(|| String::from_utf8_lossy(name).into_owned())?;
        (!quoted || self.accept(b'>')).then_some(name)
    }

    /// A number from `least` to `most`, of three digits at the most.
    fn number(&mut self, least: i64, most: i64) -> Option<i64> {
        let digits = self.take(|byte| byte.is_ascii_digit());
        let number = if digits.len() > 3 { None } else { str::from_utf8(digits).ok()?.parse().ok() };
        number.filter(|number| (least..=most).contains(number))
    }

    /// `[+-]hours[:minutes[:seconds]]`, in seconds.
    fn time(&mut self, most_hours: i64) -> Option<i64> {
        let negative = self.accept(b'-');
        let _ = negative || self.accept(b'+');
        let mut seconds = self.number(0, most_hours)? * 3600;
        if self.accept(b':') {
            seconds += self.number(0, 59)? * 60;
            if self.accept(b':') {
                seconds += self.number(0, 59)?;
            }
        }
        Some(if negative { -seconds } else { seconds })
    }

    /// `,day[/time]`. RFC 8536 lets the time be some days away.
    fn change(&mut self) -> Option<Change> {
        if !self.accept(b',') {
            return None;
        }
        let day = if self.accept(b'J') {
            Day::Julian(self.number(1, 365)?)
        } else if self.accept(b'M') {
            let month = self.number(1, 12)?;
            let week = self.accept(b'.').then(|| self.number(1, 5))??;
            let weekday = self.accept(b'.').then(|| self.number(0, 6))??;
            Day::Weekday { month, week, weekday }
        } else {
            Day::Ordinal(self.number(0, 365)?)
        };
        let time = if self.accept(b'/') { self.time(167)? } else { 2 * 3600 };
        Some(Change { day, time })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bulkhead_test_support::hostile;

    /// Noon in UTC of a day.
    fn noon(year: i64, month: i64, day: i64) -> i64 {
        (first_day(year) + days_before(month, year) + day - 1) * DAY + DAY / 2
    }

    fn at(rules: &str, time: i64) -> (String, i64) {
        let local = Rules::parse(rules.as_bytes()).expect(rules).at(time).clone();
        (local.abbreviation.unwrap(), local.offset)
    }

    fn abbreviations(rules: &str, days: &[(i64, i64)]) -> Vec<String> {
        days.iter().map(|(month, day)| at(rules, noon(2026, *month, *day)).0).collect()
    }

    #[test]
    fn the_sign_is_the_other_way_round() {
        assert_eq!(at("EST5", 0), ("EST".to_owned(), -18_000));
        assert_eq!(at("<-0330>3:30", 0), ("-0330".to_owned(), -12_600));
        assert_eq!(at("<+0330>-3:30:15", 0), ("+0330".to_owned(), 12_615));
        assert_eq!(at("EST+24:59:59", 0).1, -89_999);
    }

    #[test]
    fn summer_begins_and_ends_to_the_second() {
        let berlin = "CET-1CEST,M3.5.0,M10.5.0/3";
        // 2026-03-29 01:00 and 2026-10-25 01:00 in UTC.
        for (moment, before, after) in [(1_774_746_000, "CET", "CEST"), (1_792_890_000, "CEST", "CET")] {
            assert_eq!(at(berlin, moment - 1).0, before);
            assert_eq!(at(berlin, moment).0, after);
        }
        assert_eq!(at(berlin, noon(2026, 7, 1)).1, 7200);
    }

    #[test]
    fn in_the_south_summer_is_at_new_year() {
        let sydney = "AEST-10AEDT,M10.1.0,M4.1.0/3";
        assert_eq!(abbreviations(sydney, &[(1, 1), (7, 1), (12, 31)]), ["AEDT", "AEST", "AEDT"]);
    }

    #[test]
    fn summer_time_may_be_behind_or_have_its_own_offset() {
        assert_eq!(at("IST-1GMT0,M10.5.0,M3.5.0/1", noon(2026, 1, 1)), ("GMT".to_owned(), 0));
        assert_eq!(at("LHST-10:30LHDT-11,M10.1.0,M4.1.0", noon(2026, 1, 1)).1, 39_600);
    }

    #[test]
    fn times_may_be_days_away() {
        // The Thursday after the fourth Monday of March at 50:00, as in Gaza of old; and the day before a Sunday.
        let rules = "EET-2EEST,M3.4.4/50,M10.4.4/50";
        assert_eq!(abbreviations(rules, &[(3, 27), (3, 29)]), ["EET", "EEST"]);
        assert_eq!(abbreviations("<-03>3<-02>,M3.5.0/-2,M10.5.0/-1", &[(3, 28), (3, 29)]), ["-03", "-02"]);
    }

    #[test]
    fn summer_may_never_end() {
        let always = "XXX3EDT4,0/0,J365/23";
        assert_eq!(abbreviations(always, &[(1, 1), (7, 1), (12, 31)]), ["EDT", "EDT", "EDT"]);
        let turn = noon(2026, 12, 31) + DAY / 2;
        assert!((turn - 5 * 3600..turn + 5 * 3600).step_by(600).all(|time| at(always, time).0 == "EDT"));
    }

    #[test]
    fn days_are_counted_with_and_without_the_leap_day() {
        for (day, year, expected) in [
            (Day::Julian(60), 2024, 60),
            (Day::Julian(60), 2026, 59),
            (Day::Ordinal(60), 2024, 60),
            (Day::Julian(59), 2024, 58),
        ] {
            assert_eq!(day.of(year) - first_day(year), expected, "{day:?} {year}");
        }
        assert_eq!(abbreviations("FOO0BAR,J1,J365", &[(1, 2), (6, 1), (12, 30)]), ["BAR", "BAR", "BAR"]);
    }

    #[test]
    fn without_days_of_change_they_are_the_c_librarys() {
        assert_eq!(Rules::parse(b"EST5EDT"), Rules::parse(b"EST5EDT,M3.2.0,M11.1.0"));
        assert_eq!(Rules::parse(b"EST5EDT4"), Rules::parse(b"EST5EDT4,M3.2.0/2,M11.1.0/2"));
    }

    #[test]
    fn what_is_no_rule_is_none() {
        for text in [
            "",
            "EST",
            "AB5",
            "<AB>5",
            "<ABC5",
            "EST25",
            "EST5:60",
            "EST5:",
            "EST-",
            "EST0005",
            "5",
            "EST5 ",
            "EST5EDT,",
            "EST5EDT,M3.2.0",
            "EST5EDT,M3.2.0,",
            "EST5EDT,M13.1.0,M1.1.0",
            "EST5EDT,M1.6.0,M1.1.0",
            "EST5EDT,M1.1.7,M1.1.0",
            "EST5EDT,M0.1.0,M1.1.0",
            "EST5EDT,J0,J1",
            "EST5EDT,J366,J1",
            "EST5EDT,366,0",
            "EST5EDT,M3.2.0/168,M11.1.0",
            "EST5EDT,M3.2.0,M11.1.0x",
            "EST5EDT4:",
            "EST5ED",
            "Europe/Berlin",
            "EST5EDT,junk",
        ] {
            assert_eq!(Rules::parse(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn hostile_rules_give_an_offset_of_two_days_at_the_most() {
        for text in hostile(b"<+0330>-3:30:15LHDT-11,M10.1.0/2,J300/-167:59:59") {
            if let Some(rules) = Rules::parse(&text) {
                for time in [i64::MIN / 1_000_000_000, -1, 0, 1_795_000_000, i64::MAX / 1_000_000_000] {
                    assert!(rules.at(time).offset.abs() < 2 * DAY);
                }
            }
        }
    }
}
