//! Guest module `filesystem`: freeze, thaw and trim the VM's file systems. It reads the mount table, decides what
//! to do in which order, and asks the host for one mount point at a time.

pub mod freeze;
pub mod hook;
pub mod mounts;
pub mod status;
pub mod thaw;
pub mod trim;

/// The types of the arguments and returns, made from the schema.
pub mod schema {
    include!(concat!(env!("OUT_DIR"), "/schema.rs"));
}

bulkhead_module::module! {
    world: "filesystem-module",
    "guest-fsfreeze-status" => status::status,
    "guest-fsfreeze-freeze" => freeze::freeze,
    "guest-fsfreeze-freeze-list" => freeze::freeze_list,
    "guest-fsfreeze-thaw" => thaw::thaw,
    "guest-fstrim" => trim::trim,
}
