//! `guest-get-memory-blocks`: which blocks of memory the VM has.

use crate::figures::figure;
use crate::schema::{GuestGetMemoryBlocksArguments, GuestMemoryBlock};
use crate::system;
use bulkhead_module::{CommandError, ErrorCode};

/// Where the kernel lists its memory, if it has it in blocks.
pub const FOLDER: &str = "/sys/devices/system/memory/";

/// Lists them, in the folder's order.
pub fn memory_blocks(_: GuestGetMemoryBlocksArguments) -> Result<Vec<GuestMemoryBlock>, CommandError> {
    match system::entries(FOLDER.trim_end_matches('/')) {
        Ok(names) => select(&names, system::read),
        Err(ErrorCode::NoEntry) => Ok(Vec::new()),
        Err(code) => Err(system::not_opened(FOLDER, code)),
    }
}

fn select(
    names: &[String],
    read: impl Fn(&str) -> Result<Vec<u8>, ErrorCode>,
) -> Result<Vec<GuestMemoryBlock>, CommandError> {
    let file = |block: &str, name: &str| match read(&format!("{FOLDER}{block}/{name}")) {
        Ok(text) if text.is_empty() => Err(empty(name)),
        Ok(text) => Ok(Some(text)),
        Err(ErrorCode::NoEntry) => Ok(None),
        Err(code) => Err(CommandError::generic(format!("open(\"{FOLDER}{block}/\"): {}", code.text()))),
    };
    let blocks = names.iter().filter_map(|name| Some((name, figure(name.strip_prefix("memory")?)?)));
    let all = blocks.map(|(block, phys_index)| {
        // A block whose state the kernel does not tell is in use and stays so.
        let Some(state) = file(block, "state")? else {
            return Ok(GuestMemoryBlock { phys_index, online: true, can_offline: Some(false) });
        };
        let can_offline = file(block, "removable")?.is_some_and(|text| text[0] != b'0');
        Ok(GuestMemoryBlock { phys_index, online: state.starts_with(b"online"), can_offline: Some(can_offline) })
    });
    let all: Vec<_> = all.collect::<Result<_, CommandError>>()?;
    if all.is_empty() { Err(CommandError::generic("guest reported zero memory blocks!")) } else { Ok(all) }
}

/// The file `name` of a block, or of all, has nothing in it.
pub fn empty(name: &str) -> CommandError {
    CommandError::generic(format!("pread sysfs file \"{name}\": unexpected EOF"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    fn selected(names: &[&str], files: &[(&str, &str)]) -> Result<Vec<(u64, bool, bool)>, String> {
        let files: HashMap<_, _> = files.iter().map(|(path, text)| (format!("{FOLDER}{path}"), *text)).collect();
        let read = |path: &str| match files.get(path) {
            Some(text) => Ok(text.as_bytes().to_vec()),
            None => Err(ErrorCode::NoEntry),
        };
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let plain = |block: GuestMemoryBlock| (block.phys_index, block.online, block.can_offline.unwrap());
        select(&names, read).map(|all| all.into_iter().map(plain).collect()).map_err(|error| error.desc)
    }

    #[test]
    fn a_block_has_a_state_and_may_be_removable() {
        let files = [
            ("memory32/state", "online\n"),
            ("memory32/removable", "1\n"),
            ("memory2/state", "offline\n"),
            ("memory2/removable", "0\n"),
            ("memory1/state", "going-offline\n"),
        ];
        let names = ["block_size_bytes", "memory32", "memory2", "power", "memory1", "memoryx", "memory"];
        let blocks = vec![(32, true, true), (2, false, false), (1, false, false)];
        assert_eq!(selected(&names, &files), Ok(blocks));
    }

    #[test]
    fn a_block_without_a_state_stays_in_use() {
        assert_eq!(selected(&["memory3"], &[("memory3/removable", "1\n")]), Ok(vec![(3, true, false)]));
    }

    #[test]
    fn what_cannot_be_understood_is_said() {
        let empty = selected(&["memory3"], &[("memory3/state", "")]);
        assert_eq!(empty, Err("pread sysfs file \"state\": unexpected EOF".to_owned()));
        let empty = selected(&["memory3"], &[("memory3/state", "online"), ("memory3/removable", "")]);
        assert_eq!(empty, Err("pread sysfs file \"removable\": unexpected EOF".to_owned()));
        assert_eq!(selected(&["power"], &[]), Err("guest reported zero memory blocks!".to_owned()));
    }
}
