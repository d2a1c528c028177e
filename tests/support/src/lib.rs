//! What the tests share: a client of the wire protocol, a way to start an agent, and a vendor of modules.
//!
//! The client is deliberately plain: it knows JSON lines and the sentinel, and nothing of Bulkhead, so that it can
//! drive the real qemu-ga just as well.
#![allow(clippy::missing_panics_doc, reason = "a failed helper fails the test that called it")]

mod agent;
mod client;
mod hostile;
pub mod policies;
mod scratch;
mod vendor;

pub use agent::{Agent, agent_named, agent_under_test, oracle, tools};
pub use client::{Client, Reply};
pub use hostile::hostile;
pub use scratch::{Scratch, script};
pub use vendor::Vendor;
