//! Guest module `hotplug`: processors and blocks of memory, taken out of use and back. It reads what the kernel says of
//! one, decides whether there is something to do, and asks the host to do that one thing.

pub mod memory_blocks;
pub mod number;
pub mod processors;

/// The types of the arguments and returns, made from the schema.
pub mod schema {
    include!(concat!(env!("OUT_DIR"), "/schema.rs"));
}

bulkhead_module::module! {
    world: "hotplug-module",
    "guest-set-vcpus" => processors::set,
    "guest-set-memory-blocks" => memory_blocks::set,
}
