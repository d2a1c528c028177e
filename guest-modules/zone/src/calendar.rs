//! The calendar (Gregorian, before it was made, too), in days since 1970 began.

/// The days of the years before, since 1970 began.
pub fn first_day(year: i64) -> i64 {
    let leaps = |year: i64| year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    365 * (year - 1970) + leaps(year - 1) - leaps(1969)
}

/// The year of a day, counted since 1970 began.
pub fn year_of(day: i64) -> i64 {
    // 400 years have 146,097 days, and no year is more than two days away from their measure.
    let guess = 1969 + (day * 400).div_euclid(146_097);
    (guess..).find(|year| day < first_day(year + 1)).unwrap_or(guess)
}

/// Whether the year has 366 days.
pub fn is_leap(year: i64) -> bool {
    first_day(year + 1) - first_day(year) == 366
}

/// How many days of the year come before a month; all of them before the thirteenth.
pub fn days_before(month: i64, year: i64) -> i64 {
    let lengths = [31, 28 + i64::from(is_leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    lengths.into_iter().zip(1..month).map(|(length, _)| length).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_calendar_is_right() {
        assert_eq!(first_day(1970), 0);
        assert_eq!(first_day(2000), 10_957);
        assert_eq!(first_day(1900), -25_567);
        assert_eq!(days_before(13, 2024), 366);
        for year in [1677, 1899, 1900, 1969, 1970, 1999, 2000, 2026, 2262] {
            assert_eq!((year_of(first_day(year)), year_of(first_day(year) - 1)), (year, year - 1));
        }
    }
}
