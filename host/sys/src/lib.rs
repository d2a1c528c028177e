//! The system, and the only crate with system calls that need a privilege; one of the three with `unsafe` code.
//!
//! [`System`] lists what the agent can make the kernel do on behalf of a module: one dull call each, plain values in,
//! plain values or one descriptor out. [`Linux`] does it; [`Fake`] pretends, for tests and for trying a module
//! without root. Both have the same files, one per capability. Only `bulkhead-gate` calls them, and [`read_more`] for files that are open.
//!
//! [`Readiness`] is for the ends of programs' pipes. What the agent needs for itself are the packages bulkhead-os and bulkhead-watch.

pub mod fake;
mod linux;
mod located;
mod processes;
mod readiness;
mod reading;
mod rehearsal;
mod system;

pub use bulkhead_border::accounts::KeysError;
pub use bulkhead_border::files::OpenFlags;
pub use bulkhead_border::identity::Kernel;
pub use bulkhead_border::mounts::Usage;
pub use bulkhead_border::network::{Address, InterfaceAddress};
pub use bulkhead_border::processes::{Ending, Output};
pub use bulkhead_border::trimmer::Trimmed;
pub use bulkhead_border::{Errno, MountError, MountId, ProgramError};
pub use fake::Fake;
pub use linux::{Held, Linux, OpenFile};
pub use located::{Found, Located, LocatedProgram, ObjectKind};
pub use processes::{Manner, Spawn, Spawned};
pub use readiness::{Readiness, Wanted};
pub(crate) use reading::in_memory;
pub use reading::read_more;
pub use rehearsal::{Notes, Rehearsal};
pub use system::{Program, System, Thing};
