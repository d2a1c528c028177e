//! Guest module `power`: switching the VM off or over. The host runs one of four programs for it and nothing else.

pub mod shutdown;

/// The types of the arguments and returns, made from the schema.
pub mod schema {
    include!(concat!(env!("OUT_DIR"), "/schema.rs"));
}

bulkhead_module::module! {
    world: "power-module",
    "guest-shutdown" => shutdown::shutdown,
}
