//! `guest-get-load`: how busy the VM is.

use crate::schema::{GuestGetLoadArguments, GuestLoadAverage};
use crate::system;
use bulkhead_module::CommandError;

const FILE: &str = "/proc/loadavg";

/// Tells the load averages.
pub fn load(_: GuestGetLoadArguments) -> Result<GuestLoadAverage, CommandError> {
    let text = system::read_or_error(FILE)?;
    parse(&text).ok_or_else(|| CommandError::generic(format!("{FILE} does not begin with three load averages")))
}

/// `0.52 0.58 0.59 1/234 5678`, proc_loadavg(5).
fn parse(text: &[u8]) -> Option<GuestLoadAverage> {
    let mut words = str::from_utf8(text).ok()?.split_ascii_whitespace();
    let mut average = || words.next()?.parse().ok().filter(|load: &f64| load.is_finite() && *load >= 0.0);
    Some(GuestLoadAverage { load1m: average()?, load5m: average()?, load15m: average()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_three_words_are_the_averages() {
        let load = parse(b"0.52 12.00 0.59 1/234 5678\n").unwrap();
        assert_eq!([load.load1m, load.load5m, load.load15m], [0.52, 12.0, 0.59]);
        system::assert_fits("guest-get-load", load);
    }

    #[test]
    fn what_is_no_load_is_an_error() {
        for text in ["", "1 2", "1 2 x", "nan 1 1", "1 inf 1", "1 1 1e999", "-1 1 1"] {
            assert!(parse(text.as_bytes()).is_none(), "{text}");
        }
    }

    #[test]
    fn hostile_texts_give_an_error_or_numbers() {
        for text in system::hostile(b"0.52 12.00 0.59 1/234 5678\n") {
            if let Some(load) = parse(&text) {
                assert!(load.load1m.is_finite() && load.load5m.is_finite() && load.load15m.is_finite());
            }
        }
    }
}
