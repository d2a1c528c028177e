//! Guest module `core`: commands about the conversation itself. Its world imports the list of commands and nothing
//! else, so it can compute and no more.

pub mod info;
pub mod ping;
pub mod sync;

/// The types of the arguments and returns, made from the schema.
pub mod schema {
    include!(concat!(env!("OUT_DIR"), "/schema.rs"));
}

bulkhead_module::module! {
    world: "core-module",
    "guest-sync-delimited" => sync::sync_delimited,
    "guest-sync" => sync::sync,
    "guest-ping" => ping::ping,
    "guest-info" => info::info,
}
