//! A small real VM for the tests: the agent on a real virtio-serial port, real file systems to freeze, a real kernel to
//! power off.
//!
//! [`Vm::builder`] packs the agent, busybox and the kernel's modules into an initramfs ([`initramfs`]) and starts QEMU
//! with software emulation, so that the tests need neither root nor KVM. A test then talks to the agent with a
//! [`bulkhead_test_support::Client`], looks behind its back with [`Vm::shell`], and hears from QEMU with [`Vm::event`].
//! What runs inside the VM is the folder `vm/`: five short files.
#![allow(clippy::missing_panics_doc, reason = "a failed helper fails the test that called it")]

mod backdoor;
mod builder;
pub mod initramfs;
mod machine;
mod parts;
mod qmp;
mod session;
mod vm;

pub use builder::Builder;
pub use session::{base64, synchronise};
pub use vm::Vm;
