//! The gate: was this module granted this? If so, one call of the system.
//!
//! Everything privileged that a module can cause goes through here, one file per capability. Calls are shaped like
//! messages: plain owned values in, plain values or one descriptor out. So the gate, the policy and the system can
//! move into a process of their own, and what they decide then holds even against a broken wasm engine.
//!
//! Every call asks the policy about the value that is about to be used, and nothing but the policy; what it said during a
//! request is remembered ([`Judgements`]), for the log and for the owner's questions.

mod accounts;
mod allowance;
mod caps;
mod children;
mod clock;
mod clock_setting;
mod disks;
mod files;
mod freezer;
mod hook;
mod hotplug;
mod identity;
mod judgement;
mod mounts;
mod network;
mod power;
mod processes;
mod programs;
mod readable;
mod rehearsal;
mod sleep;
mod system_files;
mod trimmer;

pub use accounts::{CHPASSWD, PasswordError};
pub use bulkhead_policy::Policy;
pub use bulkhead_sys::{
    Added, AdditionWatch, Address, Ending, Errno, InterfaceAddress, Kernel, KeysError, Manner, MountError, MountId,
    Notes, OpenFile, OpenFlags, Output, ProgramError, Spawn, Spawned, Trimmed, Usage,
};
pub use caps::{Caps, Opened, Position};
pub use children::ChildNumber;
pub use clock_setting::{Direction, HWCLOCK};
pub use hook::HookPhase;
pub use hotplug::TakenOnline;
pub use identity::Variable;
pub use judgement::{Beyond, Judgement, Judgements, Standing};
pub use mounts::MountTable;
pub use power::{Mode, Tool};
pub use processes::Started;
pub use readable::is_ever_readable;
pub use sleep::{Sleep, SleepTool};

use allowance::Allowance;
use bulkhead_catalog::Capability;
use bulkhead_sys::System;
use caps::Meters;
use children::Children;
use judgement::Judge;
use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;
use thiserror::Error;

/// The gate in front of one system.
pub struct Gate {
    system: Box<dyn System>,
    hook: Option<PathBuf>,
    judge: Judge,
    meters: RefCell<Meters>,
    allowance: Allowance,
    children: RefCell<Children>,
}

/// Why the gate did not open, or what the system answered behind it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum GateError<E: std::error::Error + 'static> {
    /// Not granted.
    #[error("module {module} was not granted {capability}")]
    Denied {
        /// Who asked.
        module: String,
        /// For what.
        capability: Capability,
    },
    /// Granted, tried, failed.
    #[error(transparent)]
    Failed(#[from] E),
}

impl Gate {
    /// A gate in front of `system`, with `policy` in force. `hook` is the owner's freeze hook script, if there is one: a
    /// module can have it run but cannot choose it.
    pub fn new(system: Box<dyn System>, hook: Option<PathBuf>, policy: Rc<Policy>) -> Self {
        let (judge, meters, allowance) = (Judge::default(), RefCell::default(), Allowance::default());
        let gate = Gate { system, hook, judge, meters, allowance, children: RefCell::default() };
        gate.set_policy(policy);
        gate
    }
}

impl std::fmt::Debug for Gate {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Gate").field("hook", &self.hook).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod testing {
    //! Gates for tests.

    use super::{Gate, Policy};
    use bulkhead_catalog::{commands, modules};
    use bulkhead_policy::{Document, Profile};
    use bulkhead_sys::{Fake, System};
    use std::rc::Rc;

    /// With the profile that allows what qemu-ga allows.
    pub(crate) fn full(system: &Fake) -> Gate {
        in_front_of(Box::new(system.clone()))
    }

    /// The same in front of any system.
    pub(crate) fn in_front_of(system: Box<dyn System>) -> Gate {
        let profile = Profile::named("full").expect("there is a profile full");
        let policy = Policy::of_profile(profile, &commands::names(), &modules::names()).expect("the profile is sound");
        Gate::new(system, None, Rc::new(policy))
    }

    /// With these rules and no others.
    pub(crate) fn with(system: &Fake, rules: &str) -> Gate {
        let text = format!("version = 1\n{rules}");
        let document = Document::parse("test", &text, &commands::names(), &modules::names())
            .unwrap_or_else(|error| panic!("{error}"));
        let policy = Policy::merge([document], &commands::names(), &modules::names()).expect("the rules are sound");
        Gate::new(Box::new(system.clone()), None, Rc::new(policy))
    }
}
