//! `clock`: reading the clock.

use crate::{Errno, Gate, GateError};
use bulkhead_catalog::Capability;

impl Gate {
    /// Nanoseconds since 1970 began in UTC.
    pub fn now(&self, module: &str) -> Result<i64, GateError<Errno>> {
        self.require(module, Capability::Clock, &[])?;
        Ok(self.system.now())
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
        assert_eq!(gate.now("report"), Ok(-1));
        assert_eq!(gate.now("time"), Ok(-1));
        assert!(matches!(gate.now("power"), Err(GateError::Denied { .. })));
    }
}
