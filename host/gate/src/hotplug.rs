//! `hotplug`: one processor or one block of memory at a time.

use crate::{Capability, Errno, Gate, GateError};

impl Gate {
    /// Takes a processor in or out of use.
    pub fn set_processor(&self, module: &str, id: i64, online: bool) -> Result<(), GateError<Errno>> {
        self.require(module, Capability::Hotplug)?;
        Ok(self.system.set_processor(id, online)?)
    }

    /// Takes a block of memory in or out of use.
    pub fn set_memory_block(&self, module: &str, index: u64, online: bool) -> Result<(), GateError<Errno>> {
        self.require(module, Capability::Hotplug)?;
        Ok(self.system.set_memory_block(index, online)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bulkhead_sys::Fake;

    #[test]
    fn one_thing_is_switched_and_its_refusal_comes_back() {
        let system = Fake::default();
        system.refuse_memory_block(8, Errno::EBUSY);
        let gate = Gate::new(Box::new(system.clone()), None);
        assert_eq!(gate.set_processor("hotplug", 1, false), Ok(()));
        assert_eq!(gate.set_memory_block("hotplug", 7, true), Ok(()));
        assert_eq!(gate.set_memory_block("hotplug", 8, false), Err(GateError::Failed(Errno::EBUSY)));
        assert_eq!(system.events(), ["processor 1 offline", "memory block 7 online", "memory block 8 offline"]);
    }

    #[test]
    fn without_the_grant_nothing_is_switched() {
        let system = Fake::default();
        let gate = Gate::new(Box::new(system.clone()), None);
        for module in ["report", "time", "stranger"] {
            assert!(matches!(gate.set_processor(module, 1, false), Err(GateError::Denied { .. })), "{module}");
            assert!(matches!(gate.set_memory_block(module, 1, false), Err(GateError::Denied { .. })), "{module}");
        }
        assert_eq!(system.events(), [""; 0]);
    }
}
