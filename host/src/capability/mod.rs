//! Capabilities: the host's side of `wit/`, one file per interface.
//!
//! Each turns WIT types into plain values and asks the broker; none knows the dispatcher or another capability. A WIT error is an
//! answer for the module; a trap (`wasmtime::Error`) ends the request, and is kept for a module that breaks the rules of an interface.

mod accounts;
mod agent;
mod arguments;
mod clock;
mod clock_setting;
mod compartment;
mod disks;
mod errno;
mod files;
mod freezer;
mod hotplug;
mod identity;
mod log;
mod mounts;
mod network;
mod power;
mod processes;
mod reply;
mod system_files;
mod trimmer;

pub(crate) use compartment::TookTooLong;
pub use compartment::{Answered, Compartment};

use bindings::bulkhead::agent as interface;
use bulkhead_border::MountId;
use bulkhead_catalog::Capability;
use wasmtime::Engine;
use wasmtime::component::{HasSelf, Linker};

/// The interfaces as made from `wit/`.
#[allow(missing_docs, clippy::all, unreachable_pub, reason = "made by wasmtime's bindgen; documented in wit/")]
pub mod bindings {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "offered",
        imports: { default: trappable },
    });
}

/// The interfaces of the conversation itself, which give no power: every module may import them.
pub const CONVERSATION: [&str; 4] = ["log", "arguments", "reply", "types"];

/// What a module can reach: the three interfaces of the conversation itself, and those that it may import. An import that is
/// not here keeps the module from being instantiated at all. What may be done with them the gate asks the policy, call by call:
/// a command that is granted half of its module's powers must still find a module that starts.
pub fn importable(engine: &Engine, may_import: impl Fn(Capability) -> bool) -> wasmtime::Result<Linker<Compartment>> {
    let mut linker = Linker::new(engine);
    let it = &mut linker;
    interface::log::add_to_linker::<_, HasSelf<_>>(it, |compartment| compartment)?;
    interface::arguments::add_to_linker::<_, HasSelf<_>>(it, |compartment| compartment)?;
    interface::reply::add_to_linker::<_, HasSelf<_>>(it, |compartment| compartment)?;
    interface::types::add_to_linker::<_, HasSelf<_>>(it, |compartment| compartment)?;
    macro_rules! link {
        ($capability:ident, $interface:ident) => {
            if may_import(Capability::$capability) {
                interface::$interface::add_to_linker::<_, HasSelf<_>>(it, |compartment| compartment)?;
            }
        };
    }
    link!(Agent, agent);
    link!(Files, files);
    link!(Mounts, mounts);
    link!(Freezer, freezer);
    link!(Trimmer, trimmer);
    link!(Power, power);
    link!(Processes, processes);
    link!(SystemFiles, system_files);
    link!(Network, network);
    link!(Identity, identity);
    link!(Disks, disks);
    link!(Clock, clock);
    link!(ClockSetting, clock_setting);
    link!(Hotplug, hotplug);
    link!(Accounts, accounts);
    Ok(linker)
}

/// What tells a mounted file system from another at the same place.
fn mount_id(of: &interface::types::Mounted) -> MountId {
    MountId { mount: of.mount, device: (of.major, of.minor) }
}

/// An error with a fixed text ends the request; the client learns only that the command failed.
fn broken_rule(rule: &'static str) -> wasmtime::Error {
    wasmtime::Error::msg(rule)
}
