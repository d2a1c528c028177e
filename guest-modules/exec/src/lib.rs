//! Guest module `exec`: starts programs of the VM, and tells what became of them. Their input and output stream through it
//! in small pieces, so its memory does not grow with them.

pub mod exec;
pub mod status;

/// The types of the arguments and returns, made from the schema.
pub mod schema {
    include!(concat!(env!("OUT_DIR"), "/schema.rs"));
}

bulkhead_module::module! {
    world: "exec-module",
    "guest-exec-status" => status::status,
    "guest-exec" => exec::exec,
}
