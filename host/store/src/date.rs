//! Days of the calendar, as they stand in keys.

/// The days between two days of the same date in eras of 400 years, after which the calendar repeats.
const ERA: i64 = 146_097;

/// The day that `text`, as `2028-12-31`, names, in days since 1970.
pub(crate) fn day(text: &str) -> Result<u64, String> {
    let wrong = || format!("'{text}' is no day: write it as 2028-12-31");
    let is_written_so = text.len() == 10
        && text
            .bytes()
            .enumerate()
            .all(|(at, byte)| if at == 4 || at == 7 { byte == b'-' } else { byte.is_ascii_digit() });
    if !is_written_so {
        return Err(wrong());
    }
    let number = |from: usize, to: usize| text[from..to].parse::<i64>().map_err(|_| wrong());
    let days = days(number(0, 4)?, number(5, 7)?, number(8, 10)?);
    // A day that there is not, such as February 30, is another one when written again.
    u64::try_from(days).ok().filter(|day| self::text(*day) == text).ok_or_else(wrong)
}

/// The day as `2028-12-31`.
pub(crate) fn text(day: u64) -> String {
    // Years begin with March here, so that the leap day is the last; the first era begins in the year 0.
    let day = i64::try_from(day).unwrap_or(i64::MAX).saturating_add(719_468);
    let (era, of_era) = (day / ERA, day % ERA);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    format!("{:04}-{month:02}-{day:02}", era * 400 + year_of_era + next)
}

/// The days from January 1, 1970 to a day.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    era * ERA + of_era * 365 + of_era / 4 - of_era / 100 + (153 * month + 2) / 5 + day - 1 - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_that_date_prints() {
        for (text, expected) in [
            ("1970-01-01", 0),
            ("1999-12-31", 10_956),
            ("2000-02-29", 11_016),
            ("2026-11-22", 20_779),
            ("2028-12-31", 21_549),
            ("2100-03-01", 47_541),
            ("9999-12-31", 2_932_896),
        ] {
            assert_eq!(day(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn every_day_is_written_as_it_is_read() {
        (0..200_000).for_each(|number| assert_eq!(day(&text(number)), Ok(number)));
    }

    #[test]
    fn what_is_no_day_is_refused() {
        for text in
            ["2028-02-30", "2027-02-29", "2028-13-01", "2028-00-01", "1969-12-31", "28-12-31", "2028-1-1", "", "soon"]
        {
            assert!(day(text).is_err(), "{text}");
        }
    }
}
