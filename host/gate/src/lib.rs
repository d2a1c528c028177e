//! The gate: was this module granted this? If so, one call of the system.
//!
//! Everything privileged that a module can cause goes through here, one file per capability. What there is to be asked is
//! written down at the border (`bulkhead_border`), one trait per capability, and [`Asked`] implements it: owned values in, plain
//! values out. A capability with state of its own elsewhere (open files, programs that run, the frozen state) has methods of
//! [`Gate`] here, which take the module's name and give plain values or one descriptor.
//!
//! Every call asks the policy about the value that is about to be used, and nothing but the policy; what it said during a
//! request is remembered ([`Judgements`]), for the log and for the owner's questions.

mod allowance;
mod asked;
mod judgement;
mod rehearsal;

// What a request may ask, in the order of the border.
mod files;
mod mounts;

mod freezer;
mod hook;
mod power;
mod sleep;
mod trimmer;

mod children;
mod processes;

mod clock;
mod disks;
mod identity;
mod network;
mod system_files;

mod accounts;
mod clock_setting;
mod hotplug;

// What they make use of.
mod caps;
mod programs;
mod readable;

pub use asked::Asked;
pub use bulkhead_border::accounts::PasswordError;
pub use bulkhead_border::clock_setting::Direction;
pub use bulkhead_border::freezer::HookPhase;
pub use bulkhead_border::identity::Variable;
pub use bulkhead_border::power::{Mode, Sleep, SleepTool, Tool};
pub use bulkhead_border::{ProgramFailure, Refusal};
pub use bulkhead_policy::Policy;
pub use bulkhead_sys::{
    Address, Ending, Errno, InterfaceAddress, Kernel, KeysError, Manner, MountError, MountId, Notes, OpenFile,
    OpenFlags, Output, ProgramError, Spawn, Spawned, Trimmed, Usage,
};
pub use caps::{Caps, Opened, Position};
pub use children::ChildNumber;
pub use hotplug::{Added, TakenOnline};
pub use judgement::{Beyond, Judgement, Judgements, Standing};
pub use processes::Started;
pub use readable::is_ever_readable;

use allowance::Allowance;
use bulkhead_sys::System;
use caps::Meters;
use children::Children;
use judgement::Judge;
use mounts::MountTable;
use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;

/// The gate in front of one system.
pub struct Gate {
    system: Box<dyn System>,
    hook: Option<PathBuf>,
    judge: Judge,
    meters: RefCell<Meters>,
    allowance: Allowance,
    children: RefCell<Children>,
    /// The mount table as far as the request under way has read it.
    mounts: RefCell<Option<MountTable>>,
}

impl Gate {
    /// A gate in front of `system`, with `policy` in force. `hook` is the owner's freeze hook script, if there is one: a
    /// module can have it run but cannot choose it.
    pub fn new(system: Box<dyn System>, hook: Option<PathBuf>, policy: Rc<Policy>) -> Self {
        let (judge, meters, allowance) = (Judge::default(), RefCell::default(), Allowance::default());
        let (children, mounts) = (RefCell::default(), RefCell::default());
        let gate = Gate { system, hook, judge, meters, allowance, children, mounts };
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
