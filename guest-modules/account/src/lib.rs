//! Guest module `account`: passwords, and the keys with which users log in. The host runs one program for it, and reads
//! and replaces one file as the user; what is in that file is understood here.

pub mod add;
pub mod error;
pub mod get;
pub mod hash;
pub mod keys;
pub mod password;
pub mod remove;

/// The types of the arguments and returns, made from the schema.
pub mod schema {
    include!(concat!(env!("OUT_DIR"), "/schema.rs"));
}

bulkhead_module::module! {
    world: "account-module",
    "guest-set-user-password" => password::set,
    "guest-ssh-get-authorized-keys" => get::get,
    "guest-ssh-add-authorized-keys" => add::add,
    "guest-ssh-remove-authorized-keys" => remove::remove,
}
