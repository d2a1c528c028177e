//! The border: what the side that runs modules asks of the side that rules and acts, and what it is answered.
//!
//! ```text
//! front   client's bytes, engine, modules   --- Call --->   broker   rulings, policy, system calls
//!                                          <-- Answer ---
//! ```
//!
//! One file per capability, with all that there is to know of it here: its plain values, and an `interface!` that says which calls
//! there are. From it are made a trait, which the broker's side implements and [`Asking`] offers to the front, and the messages.
//! Everything is owned and plain: no reference, no descriptor of a folder, nothing that means something on one side only.
//!
//! A call says nothing of who asks. The request under way was opened by the name of its command ([`request`]), and from that the
//! broker knows the module, what rules apply and whether the capability is one of the module's at all.

#[macro_use]
mod interface;

// A request, from its beginning to its end.
pub mod request;

// What a request may ask, one file for each capability, in the order of the world `offered`.
pub mod agent;
pub mod files;
pub mod mounts;

pub mod freezer;
pub mod power;
pub mod trimmer;

pub mod processes;

pub mod clock;
pub mod disks;
pub mod identity;
pub mod network;
pub mod system_files;

pub mod accounts;
pub mod clock_setting;
pub mod hotplug;

// What they share.
mod refusal;

pub use interface::{Asking, Carrier};
pub use nix::errno::Errno;
pub use refusal::{MountError, MountId, ProgramError, ProgramFailure, Refusal};

/// How much of a file, of a program's output or of the mount table one call moves at the most, or about, in bytes. It bounds what either side
/// holds of it, and how long the broker does nothing else; a piece of this size stays in the processor's second-level cache. An
/// honest module asks again.
pub const PIECE: usize = 64 * 1024;

capabilities! {
    agent: Agent,
    files: Files,
    mounts: Mounts,
    freezer: Freezer,
    trimmer: Trimmer,
    power: Power,
    processes: Processes,
    system_files: SystemFiles,
    network: Network,
    identity: Identity,
    disks: Disks,
    clock: Clock,
    clock_setting: ClockSetting,
    hotplug: Hotplug,
    accounts: Accounts,
}
