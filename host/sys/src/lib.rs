//! The system, and the only crate with system calls that need a privilege and with `unsafe` code.
//!
//! [`System`] lists what the agent can make the kernel do on behalf of a module: one dull call each, plain values in,
//! plain values or one descriptor out. [`Linux`] does it; [`Fake`] pretends, for tests and for trying a module
//! without root. Both have the same files, one per capability. Only `bulkhead-gate` calls them, and [`read_more`] for files that are open.
//!
//! [`process`], [`memory`], [`code`], [`serial`], [`socket`], [`Watch`], [`FolderWatch`], [`AdditionWatch`], [`Readiness`],
//! [`Region`] and [`KeptPage`] are not for modules: the agent itself, its channel, its store of modules, its ends of pipes and its
//! compartments need them.

mod addition_watch;
pub mod code;
pub mod fake;
mod folder_watch;
mod kept;
mod linux;
mod located;
pub mod memory;
pub mod process;
mod processes;
mod readiness;
mod reading;
mod region;
mod rehearsal;
pub mod serial;
pub mod socket;
mod socket_watch;
mod system;
mod watch;

pub use addition_watch::{Added, AdditionWatch};
pub use bulkhead_border::accounts::KeysError;
pub use bulkhead_border::files::OpenFlags;
pub use bulkhead_border::identity::Kernel;
pub use bulkhead_border::mounts::Usage;
pub use bulkhead_border::network::{Address, InterfaceAddress};
pub use bulkhead_border::processes::{Ending, Output};
pub use bulkhead_border::trimmer::Trimmed;
pub use bulkhead_border::{Errno, MountError, MountId, ProgramError};
pub use fake::Fake;
pub use folder_watch::{Aim, FolderWatch};
pub use kept::KeptPage;
pub use linux::{Held, Linux, OpenFile};
pub use located::{Found, Located, LocatedProgram, ObjectKind};
pub use processes::{Manner, Spawn, Spawned};
pub use readiness::{Readiness, Wanted};
pub(crate) use reading::in_memory;
pub use reading::read_more;
pub use region::Region;
pub use rehearsal::{Notes, Rehearsal};
pub use socket_watch::SocketWatch;
pub use system::{Program, System, Thing};
pub use watch::Watch;
