//! Guest module `report`: what the VM tells of itself. It reads texts of the kernel and of the system and makes answers
//! of them; it can change nothing at all.
//!
//! Nobody promises that those texts are as their manual pages say: whatever they hold, a command answers with what it
//! understands of them, or with an error that says what is wrong.

pub mod address;
pub mod btrfs;
pub mod cpustats;
pub mod default_routes;
pub mod disks;
pub mod diskstats;
pub mod figures;
pub mod fsinfo;
pub mod host_name;
pub mod interfaces;
pub mod ip;
pub mod load;
#[cfg(test)]
mod machine;
pub mod memory_block_info;
pub mod memory_blocks;
pub mod net_dev;
pub mod nvme;
pub mod nvme_subsystem;
pub mod os_release;
pub mod osinfo;
pub mod route;
pub mod sessions;
pub mod stream;
pub mod sysfs;
pub mod system;
pub mod timezone;
pub mod udev;
pub mod users;
pub mod utmp;
pub mod vcpus;

/// The types of the arguments and returns, made from the schema.
pub mod schema {
    include!(concat!(env!("OUT_DIR"), "/schema.rs"));
}

bulkhead_module::module! {
    world: "report-module",
    "guest-network-get-interfaces" => interfaces::interfaces,
    "guest-get-vcpus" => vcpus::vcpus,
    "guest-get-disks" => disks::disks,
    "guest-get-fsinfo" => fsinfo::fsinfo,
    "guest-get-memory-blocks" => memory_blocks::memory_blocks,
    "guest-get-memory-block-info" => memory_block_info::memory_block_info,
    "guest-get-host-name" => host_name::host_name,
    "guest-get-users" => users::users,
    "guest-get-timezone" => timezone::timezone,
    "guest-get-osinfo" => osinfo::osinfo,
    "guest-get-diskstats" => diskstats::diskstats,
    "guest-get-cpustats" => cpustats::cpustats,
    "guest-get-load" => load::load,
    "guest-network-get-route" => route::route,
}
