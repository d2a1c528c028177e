//! `hotplug`: one processor or one block of memory at a time.

use crate::{Capability, Errno, Gate, GateError};
use bulkhead_policy::Ask;

impl Gate {
    /// Takes a processor in or out of use.
    pub fn set_processor(&self, module: &str, id: i64, online: bool) -> Result<(), GateError<Errno>> {
        self.require(module, Capability::Hotplug, &[("processors", Ask::Number(id))])?;
        Ok(self.system.set_processor(id, online)?)
    }

    /// Takes a block of memory in or out of use.
    pub fn set_memory_block(&self, module: &str, index: u64, online: bool) -> Result<(), GateError<Errno>> {
        self.require(module, Capability::Hotplug, &[("memory", Ask::Flag(true))])?;
        Ok(self.system.set_memory_block(index, online)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use bulkhead_sys::Fake;

    #[test]
    fn one_thing_is_switched_and_its_refusal_comes_back() {
        let system = Fake::default();
        system.refuse_memory_block(8, Errno::EBUSY);
        let gate = testing::full(&system);
        assert_eq!(gate.set_processor("hotplug", 1, false), Ok(()));
        assert_eq!(gate.set_memory_block("hotplug", 7, true), Ok(()));
        assert_eq!(gate.set_memory_block("hotplug", 8, false), Err(GateError::Failed(Errno::EBUSY)));
        assert_eq!(system.events(), ["processor 1 offline", "memory block 7 online", "memory block 8 offline"]);
    }

    #[test]
    fn without_the_grant_nothing_is_switched() {
        let system = Fake::default();
        let gate = testing::full(&system);
        for module in ["report", "time", "stranger"] {
            assert!(matches!(gate.set_processor(module, 1, false), Err(GateError::Denied { .. })), "{module}");
            assert!(matches!(gate.set_memory_block(module, 1, false), Err(GateError::Denied { .. })), "{module}");
        }
        assert_eq!(system.events(), [""; 0]);
    }

    #[test]
    fn processors_are_granted_by_their_numbers() {
        let system = Fake::default();
        let rules =
            "[[permit]]\ncapability = \"hotplug\"\nmodules = [\"hotplug\"]\nprocessors = [1, 2]\nreason = \"x\"\n";
        let gate = testing::with(&system, rules);
        assert_eq!(gate.set_processor("hotplug", 2, false), Ok(()));
        assert!(matches!(gate.set_processor("hotplug", 3, false), Err(GateError::Denied { .. })));
        assert!(matches!(gate.set_memory_block("hotplug", 1, false), Err(GateError::Denied { .. })));
        assert_eq!(system.events(), ["processor 2 offline"]);
    }
}
