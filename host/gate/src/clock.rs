//! `clock`: reading the clock.

use crate::{Asked, Errno, Refusal};
use bulkhead_border::Clock;
use bulkhead_catalog::Capability;

impl Clock for Asked<'_> {
    fn now(&mut self) -> Result<i64, Refusal<Errno>> {
        self.require(Capability::Clock, &[])?;
        Ok(self.gate.system.now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use bulkhead_sys::Fake;

    #[test]
    fn the_clock_is_for_those_who_need_it() {
        let fake = Fake::default();
        fake.set_clock(-1);
        let gate = testing::full(&fake);
        assert_eq!(gate.asked_by("report").now(), Ok(-1));
        assert_eq!(gate.asked_by("time").now(), Ok(-1));
        assert_eq!(gate.asked_by("power").now(), Err(Refusal::Denied));
    }
}
