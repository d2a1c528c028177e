//! The system, and the only crate with system calls that need a privilege; one of the three with `unsafe` code.
//!
//! [`System`] is what the agent can make the kernel do on behalf of a module: one dull call each, plain values in,
//! plain values or one descriptor out. It is the sum of the capabilities, each a trait in a file of its own, such as
//! [`Trimmer`], which three implement: [`Linux`] does it; [`Fake`] pretends, for tests and for trying a module without root;
//! both have a file of the same name for it. [`Rehearsal`] looks and does not touch: what it makes of a capability stands below
//! the trait, or under `rehearsal/` where it is long. Only `bulkhead-gate` calls them, and [`read_more`] for files that are open.
//!
//! [`Readiness`] is for the ends of programs' pipes. What the agent needs for itself are the packages bulkhead-os and bulkhead-watch.

// What a module may have the system do, one file for each capability, in the order of `bulkhead-border`.
mod files;
mod mounts;

mod freezer;
mod power;
mod trimmer;

mod processes;

mod clock;
mod disks;
mod identity;
mod network;
mod system_files;

mod accounts;
mod clock_setting;
mod hotplug;

// What serves several of them.
mod names;
mod programs;

// All of them together, and who implements them.
pub mod fake;
mod linux;
mod rehearsal;
mod system;

// For the ends of programs' pipes.
mod readiness;

// Helpers.
mod reading;

pub use accounts::Accounts;
pub use bulkhead_border::accounts::KeysError;
pub use bulkhead_border::files::OpenFlags;
pub use bulkhead_border::identity::Kernel;
pub use bulkhead_border::mounts::Usage;
pub use bulkhead_border::network::{Address, InterfaceAddress};
pub use bulkhead_border::processes::{Ending, Output};
pub use bulkhead_border::trimmer::Trimmed;
pub use bulkhead_border::{Errno, MountError, MountId, ProgramError};
pub use clock::Clock;
pub use clock_setting::ClockSetting;
pub use disks::Disks;
pub use fake::Fake;
pub use files::{Files, Found, Located, ObjectKind};
pub use freezer::Freezer;
pub use hotplug::Hotplug;
pub use identity::Identity;
pub use linux::{Held, Linux, OpenFile};
pub use mounts::Mounts;
pub use names::{Names, Thing};
pub use network::Network;
pub use power::Power;
pub use processes::{Manner, Processes, Spawn, Spawned};
pub use programs::{LocatedProgram, Program, Programs};
pub use readiness::{Readiness, Wanted};
pub(crate) use reading::in_memory;
pub use reading::read_more;
pub use rehearsal::{Notes, Rehearsal};
pub use system::System;
pub use system_files::SystemFiles;
pub use trimmer::Trimmer;
