//! `guest-get-load`: how busy the VM was.

use crate::bindings::bulkhead::agent::identity;
use crate::schema::{GuestGetLoadArguments, GuestLoadAverage};
use bulkhead_module::CommandError;

/// Tells the load averages as the kernel counts them, in steps of 1/2048; /proc/loadavg has them rounded to two decimals, and
/// is not there for a service with ProcSubset=pid.
pub fn load(_: GuestGetLoadArguments) -> Result<GuestLoadAverage, CommandError> {
    Ok(averages(identity::loads()))
}

fn averages((one, five, fifteen): (u64, u64, u64)) -> GuestLoadAverage {
    let average = |load: u64| load as f64 / 65536.0;
    GuestLoadAverage { load1m: average(one), load5m: average(five), load15m: average(fifteen) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system;

    #[test]
    fn the_averages_are_exact() {
        let load = averages((65_536 / 2048, 786_432, 0));
        assert_eq!([load.load1m, load.load5m, load.load15m], [0.000_488_281_25, 12.0, 0.0]);
        system::assert_fits("guest-get-load", load);
        system::assert_fits("guest-get-load", averages((u64::MAX, u64::MAX, u64::MAX)));
    }
}
