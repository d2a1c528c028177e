//! Guest module `file`: open, read, write, seek and close files of the VM. Contents stream through it in small
//! pieces, so its memory does not grow with what a client asks for.

pub mod close;
pub mod error;
pub mod flush;
pub mod open;
pub mod read;
pub mod seek;
pub mod write;

/// The types of the arguments and returns, made from the schema.
pub mod schema {
    include!(concat!(env!("OUT_DIR"), "/schema.rs"));
}

bulkhead_module::module! {
    world: "file-module",
    "guest-file-open" => open::open,
    "guest-file-close" => close::close,
    "guest-file-read" => read::read,
    "guest-file-write" => write::write,
    "guest-file-seek" => seek::seek,
    "guest-file-flush" => flush::flush,
}
