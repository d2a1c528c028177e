//! `guest-get-time`: what the system's clock shows.

use crate::bindings::bulkhead::agent::clock;
use crate::schema::GuestGetTimeArguments;
use bulkhead_module::CommandError;

/// Nanoseconds since 1970 began in UTC.
pub fn get(_: GuestGetTimeArguments) -> Result<i64, CommandError> {
    Ok(whole_microseconds(clock::now()))
}

/// Cuts off what is less than a microsecond, towards 1970: qemu-ga reads and sets the clock in these steps.
pub(crate) fn whole_microseconds(time: i64) -> i64 {
    time - time % 1000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_multiple_of_a_thousand() {
        assert_eq!(whole_microseconds(1_795_343_121_082_575_999), 1_795_343_121_082_575_000);
        assert_eq!(whole_microseconds(-1), 0);
        assert_eq!(whole_microseconds(-1001), -1000);
    }
}
