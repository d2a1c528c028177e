//! `hotplug`: one processor or one block of memory at a time.

use crate::{Asked, Errno, Gate, Refusal};
use bulkhead_border::Hotplug;
use bulkhead_catalog::Capability;
use bulkhead_policy::Ask;

impl Hotplug for Asked<'_> {
    fn set_processor(&mut self, id: i64, online: bool) -> Result<(), Refusal<Errno>> {
        self.require(Capability::Hotplug, &[("processors", Ask::Number(id))])?;
        Ok(self.gate.allow_switch(|| self.gate.system.set_processor(id, online))??)
    }

    fn set_memory_block(&mut self, index: u64, online: bool) -> Result<(), Refusal<Errno>> {
        self.require(Capability::Hotplug, &[("memory", Ask::Flag(true))])?;
        Ok(self.gate.allow_switch(|| self.gate.system.set_memory_block(index, online))??)
    }
}

/// Where the kernel keeps processors and blocks of memory, below /sys.
const PROCESSORS: &str = "devices/system/cpu";
const MEMORY: &str = "devices/system/memory";

/// How many names of either folder are looked at. It bounds what a folder that never ends costs; the largest machines have some
/// ten thousand processors or blocks of memory.
const NAMES_LIMIT: usize = 65_536;

/// How long what such a file says may be, in bytes. It bounds what is kept of a file that is none of the kernel's; those of the
/// kernel say a word.
const WORD_LIMIT: usize = 64;

/// Something that was added to the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Added {
    /// The processor of this number.
    Processor(i64),
    /// The block of memory of this number.
    MemoryBlock(u64),
    /// Nobody can say what: all that is there is looked at.
    Unknown,
}

/// Something that was taken into use, or could not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakenOnline {
    /// `processor 4`, `memory block 40`.
    pub what: String,
    /// What became of it.
    pub outcome: Result<(), Errno>,
}

impl Gate {
    /// Takes into use what was added to the machine, or all that is not in use if nobody knows what was; nothing if the owner's
    /// policy does not say so. No module asks for it, and none is asked.
    pub fn take_online(&self, added: Added) -> Vec<TakenOnline> {
        if !self.policy().takes_online() {
            return Vec::new();
        }
        match added {
            Added::Processor(id) => self.processor_online(id).into_iter().collect(),
            Added::MemoryBlock(index) => self.memory_block_online(index).into_iter().collect(),
            Added::Unknown => {
                let processors = self.numbers(PROCESSORS, "cpu").into_iter();
                let blocks = self.numbers(MEMORY, "memory").into_iter();
                let processors = processors.filter_map(|id| self.processor_online(i64::try_from(id).ok()?));
                processors.chain(blocks.filter_map(|index| self.memory_block_online(index))).collect()
            }
        }
    }

    fn processor_online(&self, id: i64) -> Option<TakenOnline> {
        // One that has no such file cannot be out of use.
        if self.word(&format!("{PROCESSORS}/cpu{id}/online"))? != "0" {
            return None;
        }
        Some(TakenOnline { what: format!("processor {id}"), outcome: self.system.set_processor(id, true) })
    }

    fn memory_block_online(&self, index: u64) -> Option<TakenOnline> {
        // Where the kernel takes memory into use by itself, a block that is not was taken out.
        if self.word(&format!("{MEMORY}/auto_online_blocks"))? != "offline" {
            return None;
        }
        let state = || self.word(&format!("{MEMORY}/memory{index}/state"));
        if state()? != "offline" {
            return None;
        }
        let outcome = match self.system.set_memory_block(index, true) {
            // A rule of udev was faster: the kernel refuses what is so already.
            Err(Errno::EINVAL) if state().as_deref() == Some("online") => return None,
            outcome => outcome,
        };
        Some(TakenOnline { what: format!("memory block {index}"), outcome })
    }

    fn word(&self, path: &str) -> Option<String> {
        let text = self.system.read_system_file(b"/sys", path.as_bytes(), WORD_LIMIT).ok()?;
        String::from_utf8(text).ok().map(|text| text.trim().to_owned())
    }

    /// The numbers of what is called `prefix` and a number there, in order.
    fn numbers(&self, folder: &str, prefix: &str) -> Vec<u64> {
        let names = self.system.system_entries(b"/sys", folder.as_bytes(), NAMES_LIMIT).unwrap_or_default();
        let number = |name: &Vec<u8>| std::str::from_utf8(name).ok()?.strip_prefix(prefix)?.parse().ok();
        let mut numbers: Vec<u64> = names.iter().filter_map(number).collect();
        numbers.sort_unstable();
        numbers
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
        let mut hotplug = gate.asked_by("hotplug");
        assert_eq!(hotplug.set_processor(1, false), Ok(()));
        assert_eq!(hotplug.set_memory_block(7, true), Ok(()));
        assert_eq!(hotplug.set_memory_block(8, false), Err(Refusal::Failed(Errno::EBUSY)));
        assert_eq!(system.events(), ["processor 1 offline", "memory block 7 online", "memory block 8 offline"]);
    }

    fn machine(auto: &str) -> Fake {
        let system = Fake::default();
        for (file, text) in [
            ("cpu/cpu1/online", "1\n"),
            ("cpu/cpu2/online", "0\n"),
            ("cpu/cpu10/online", "0\n"),
            ("cpu/cpufreq/online", "0\n"),
            ("memory/memory7/state", "online\n"),
            ("memory/memory8/state", "offline\n"),
            ("memory/memory9/state", "going-offline\n"),
            ("memory/auto_online_blocks", auto),
        ] {
            system.write_system_file(&format!("/sys/devices/system/{file}"), text);
        }
        system
    }

    fn taken(system: &Fake, rules: &str, added: Added) -> Vec<String> {
        let taken = testing::with(system, rules).take_online(added);
        assert!(taken.iter().all(|it| it.outcome.is_ok()), "{taken:?}");
        taken.into_iter().map(|it| it.what).collect()
    }

    const ONLINE: &str = "[hotplug]\nonline = true\n";

    #[test]
    fn what_is_added_is_taken_into_use_if_the_owner_says_so() {
        let system = machine("offline\n");
        for rules in ["", "[hotplug]\nonline = false\n"] {
            assert_eq!(taken(&system, rules, Added::Unknown), [""; 0]);
        }
        assert_eq!(taken(&system, ONLINE, Added::Processor(2)), ["processor 2"]);
        assert_eq!(taken(&system, ONLINE, Added::MemoryBlock(8)), ["memory block 8"]);
        for there in [Added::Processor(0), Added::Processor(1), Added::MemoryBlock(7), Added::MemoryBlock(9)] {
            assert_eq!(taken(&system, ONLINE, there), [""; 0], "{there:?}");
        }
        assert_eq!(system.events(), ["processor 2 online", "memory block 8 online"]);
        assert_eq!(
            taken(&machine("offline"), ONLINE, Added::Unknown),
            ["processor 2", "processor 10", "memory block 8"]
        );
    }

    #[test]
    fn memory_that_the_kernel_takes_into_use_itself_is_left_to_it() {
        let system = machine("online_movable\n");
        assert_eq!(taken(&system, ONLINE, Added::MemoryBlock(8)), [""; 0]);
        assert_eq!(taken(&system, ONLINE, Added::Unknown), ["processor 2", "processor 10"]);
    }

    #[test]
    fn one_that_refuses_keeps_nothing_from_the_others() {
        let system = machine("offline");
        system.refuse_memory_block(8, Errno::EBUSY);
        let taken = testing::with(&system, ONLINE).take_online(Added::Unknown);
        let outcomes: Vec<_> = taken.into_iter().map(|it| it.outcome).collect();
        assert_eq!(outcomes, [Ok(()), Ok(()), Err(Errno::EBUSY)]);
    }

    #[test]
    fn without_the_grant_nothing_is_switched() {
        let system = Fake::default();
        let gate = testing::full(&system);
        for module in ["report", "time", "stranger"] {
            assert_eq!(gate.asked_by(module).set_processor(1, false), Err(Refusal::Denied), "{module}");
            assert_eq!(gate.asked_by(module).set_memory_block(1, false), Err(Refusal::Denied), "{module}");
        }
        assert_eq!(system.events(), [""; 0]);
    }

    #[test]
    fn processors_are_granted_by_their_numbers() {
        let system = Fake::default();
        let rules =
            "[[permit]]\ncapability = \"hotplug\"\nmodules = [\"hotplug\"]\nprocessors = [1, 2]\nreason = \"x\"\n";
        let gate = testing::with(&system, rules);
        let mut hotplug = gate.asked_by("hotplug");
        assert_eq!(hotplug.set_processor(2, false), Ok(()));
        assert_eq!(hotplug.set_processor(3, false), Err(Refusal::Denied));
        assert_eq!(hotplug.set_memory_block(1, false), Err(Refusal::Denied));
        assert_eq!(system.events(), ["processor 2 offline"]);
    }
}
