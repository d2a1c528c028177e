//! Bulkhead's host: the native process that owns the channel, the handles and, behind the gate, the privileges.
//!
//! The modules below stand in the order in which a request meets them. To find where something happens, walk the road;
//! to add something, put it at the first stop where it makes sense.
//!
//! ```text
//! QEMU <-> virtio-serial
//!   1 transport    bytes                    one client at a time; comes back when the client does
//!   2 session      -> Message               bulkhead-protocol finds where a request ends
//!   3 dispatcher   -> command, ruling       unknown, or the ruling is no: an error
//!   4 modules      -> which compartment     the built-in set, in the form this processor can run
//!   5 runtime      -> fresh instance        memory, time and calls are bounded; its world alone is linked
//!   6 capability   -> plain request         one file per WIT interface
//!   7 broker       -> of an open request?   package bulkhead-broker; bulkhead-border has the messages
//!   8 gate         -> granted? then one call of sys (packages bulkhead-gate, bulkhead-sys)
//!  back: errno -> error-code -> command-error {class, desc} -> reply -> bytes
//! ```
//!
//! Which commands and modules there are stands in the package bulkhead-catalog; which of them may run, what outlives a request and
//! what is told of it are the broker's (package bulkhead-broker). [`agent`] joins all of it.
//!
//! [`reloading`] puts another policy in force while the agent runs, [`installed`] other modules; [`additions`] takes into use what
//! the machine is given; [`running`] is how the owner's tools (package bulkhead-tools) find it.

// The road, and whoever joins it.
pub mod agent;

pub mod transport;

pub mod session;

pub mod dispatcher;

pub mod modules;

pub mod bounds;
pub mod runtime;

pub mod capability;

pub mod shown_arguments;

// What goes on between requests.
pub mod additions;
pub mod briefly;
pub mod reloading;
pub mod running;
mod tending;

pub mod installed;

/// The QEMU release whose commands, texts and manners we follow; what `guest-info` calls `version`.
pub const QEMU_VERSION: &str = "11.1.3";

/// Our own version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
