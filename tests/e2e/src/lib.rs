//! Real VMs for the tests: the agent on a real virtio-serial port, real file systems to freeze, a real kernel to power
//! off.
//!
//! [`Vm::builder`] is the small one. It packs the agent, busybox and the kernel's modules into an initramfs ([`initramfs`]) and starts QEMU
//! with software emulation, so that the tests need neither root nor KVM. A test then talks to the agent with a
//! [`bulkhead_test_support::Client`], looks behind its back with [`Vm::shell`], and hears from QEMU with [`Vm::event`].
//!
//! [`Vm::system`] is a Debian with systemd and hardware worth reporting, to be explored with a [`Lab`]; [`Libvirt`] is the
//! same under libvirt. What runs inside of them all is the folder `vm/`.
#![allow(clippy::missing_panics_doc, reason = "a failed helper fails the test that called it")]

mod backdoor;
mod builder;
mod hardware;
pub mod initramfs;
mod lab;
mod libvirt;
mod machine;
mod parts;
mod qmp;
mod session;
mod system;
mod vm;

pub use backdoor::Backdoor;
pub use builder::Builder;
pub use lab::{Check, Lab, find, list, names, text};
pub use libvirt::Libvirt;
pub use session::{base64, synchronise};
pub use system::{SCSI_SERIAL, System};
pub use vm::Vm;

use bulkhead_test_support::{agent_under_test, oracle};

/// Whether the agent under test is the oracle. Checks of what the oracle is known to do worse are skipped for it.
pub fn tests_oracle() -> bool {
    oracle()
        .and_then(|path| path.canonicalize().ok())
        .is_some_and(|path| agent_under_test().canonicalize().is_ok_and(|agent| agent == path))
}
