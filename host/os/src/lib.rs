//! What the agent itself needs of the system: for its own memory and code, and for its channel. Nothing here is done
//! for a module, and nothing needs a privilege but opening a channel; what modules can cause is the package bulkhead-sys.
//!
//! One of the three packages with `unsafe` code.

// The process: its beginning and end, its memory, its machine code.
pub mod process;

pub mod memory;

pub mod code;

mod region;

mod kept;

// Its channel.
pub mod serial;
pub mod socket;

pub use kept::KeptPage;
pub use nix::errno::Errno;
pub use region::Region;
