//! Guest module `time`: what the clock shows, and setting it. The host sets one clock at a time; which times are
//! sensible, and which clock follows which, is decided here.

pub mod get;
pub mod hardware;
pub mod set;

/// The types of the arguments and returns, made from the schema.
pub mod schema {
    include!(concat!(env!("OUT_DIR"), "/schema.rs"));
}

bulkhead_module::module! {
    world: "time-module",
    "guest-get-time" => get::get,
    "guest-set-time" => set::set,
}
