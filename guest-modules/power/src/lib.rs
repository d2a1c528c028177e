//! Guest module `power`: switching the VM off or over, and putting it to sleep. The host runs one of a few programs for
//! it, or tells the kernel to sleep, and nothing else.

pub mod refusal;
pub mod shutdown;
pub mod suspend;

/// The types of the arguments and returns, made from the schema.
pub mod schema {
    include!(concat!(env!("OUT_DIR"), "/schema.rs"));
}

bulkhead_module::module! {
    world: "power-module",
    "guest-shutdown" => shutdown::shutdown,
    "guest-suspend-disk" => suspend::disk,
    "guest-suspend-ram" => suspend::ram,
    "guest-suspend-hybrid" => suspend::hybrid,
}
