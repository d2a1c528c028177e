//! Guest module `org.bulkhead.freeze-blockers`: what would become of a freeze, before a backup finds it out. Freezes that hang
//! do so because of what file systems are stacked on; which file systems take part is seen from the mount table.

mod device;
mod kind;
mod outlook;

use bindings::bulkhead::agent::{mounts, system_files};
use bulkhead_module::{
    CommandError,
    mountinfo::{self, Mount},
};
use device::Kernel;
use schema::{FreezeBlockersArguments, FreezeOutlook};

/// The types of the arguments and returns, made from the schema.
pub mod schema {
    include!(concat!(env!("OUT_DIR"), "/schema.rs"));
}

bulkhead_module::module! {
    wit: "wit",
    world: "module",
    "__org.bulkhead_freeze-blockers" => freeze_blockers,
}

/// Looks at the mount table, and at the devices that are mounted.
pub fn freeze_blockers(_: FreezeBlockersArguments) -> Result<FreezeOutlook, CommandError> {
    let number = |path: &[u8]| mounts::block_device(path).ok().map(|device| (device.major, device.minor));
    Ok(outlook::of(table()?, number, &System))
}

/// The mount table, read some lines at a time: it may have a hundred thousand.
fn table() -> Result<Vec<Mount>, CommandError> {
    let mut table = Vec::new();
    loop {
        let lines = mounts::next_mounts()
            .map_err(|code| CommandError::generic(format!("the mount table cannot be read: {}", code.text())))?;
        if lines.is_empty() {
            return Ok(table);
        }
        table.extend(mountinfo::parse(&lines));
    }
}

/// What this VM's kernel says of its devices.
struct System;

impl Kernel for System {
    fn read(&self, path: &str) -> Option<String> {
        let text = system_files::read(path.as_bytes()).ok()?;
        Some(String::from_utf8_lossy(&text).trim_end_matches('\n').to_owned())
    }

    fn entries(&self, path: &str) -> Vec<String> {
        let names = system_files::entries(path.as_bytes()).unwrap_or_default();
        names.into_iter().filter_map(|name| String::from_utf8(name).ok()).collect()
    }

    fn resolve(&self, path: &str) -> Option<String> {
        String::from_utf8(system_files::resolve(path.as_bytes()).ok()?).ok()
    }
}
