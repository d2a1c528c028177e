//! The system, and the only crate with system calls that need a privilege and with `unsafe` code.
//!
//! [`System`] lists what the agent can make the kernel do on behalf of a module: one dull call each, plain values in,
//! plain values or one descriptor out. [`Linux`] does it; [`Fake`] pretends, for tests and for trying a module
//! without root. Both have the same files, one per capability. Only `bulkhead-gate` calls them.
//!
//! [`process`], [`serial`], [`socket`] and [`Watch`] are not for modules: the agent's own start and its channel need them.

pub mod fake;
mod linux;
pub mod process;
pub mod serial;
pub mod socket;
mod system;
mod watch;

pub use fake::Fake;
pub use linux::Linux;
pub use nix::errno::Errno;
pub use system::{MountError, OpenFlags, Program, ProgramError, System, Trimmed};
pub use watch::Watch;
