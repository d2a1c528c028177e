//! `guest-set-memory-blocks`: blocks of memory in and out of use.

use crate::bindings::bulkhead::agent::{hotplug, system_files};
use crate::number::number;
use crate::schema::{
    GuestMemoryBlock, GuestMemoryBlockResponse, GuestMemoryBlockResponseType as Response, GuestSetMemoryBlocksArguments,
};
use bulkhead_module::{CommandError, ErrorCode};
use std::cell::OnceCell;

/// Where the kernel has the blocks.
const BLOCKS: &str = "/sys/devices/system/memory";

/// Tries each, in the order of the list, and tells how it went with each.
pub fn set(arguments: GuestSetMemoryBlocksArguments) -> Result<Vec<GuestMemoryBlockResponse>, CommandError> {
    // Asked once: to look at the folder of all blocks is to list them.
    let no_blocks = OnceCell::new();
    let no_blocks = || *no_blocks.get_or_init(|| is_missing(BLOCKS));
    Ok(arguments.mem_blks.iter().map(|block| switch(block, no_blocks)).collect())
}

/// How it went with a block, and the number that says why.
type Verdict = (Response, Option<i64>);

fn switch(block: &GuestMemoryBlock, no_blocks: impl Fn() -> bool) -> GuestMemoryBlockResponse {
    let (index, wanted) = (block.phys_index, block.online);
    let folder = format!("{BLOCKS}/memory{index}");
    let missing = || match is_missing(&folder) {
        true if no_blocks() => Missing::Blocks,
        true => Missing::Block,
        false => Missing::Switch,
    };
    let state = system_files::read(format!("{folder}/state").as_bytes());
    let verdict = decide(wanted, state, missing);
    let (response, error_code) = verdict.unwrap_or_else(|| changed(hotplug::set_memory_block(index, wanted)));
    GuestMemoryBlockResponse { phys_index: index, response, error_code }
}

fn is_missing(folder: &str) -> bool {
    system_files::entries(folder.as_bytes()).err() == Some(ErrorCode::NoEntry)
}

/// What is missing where a block's file `state` is.
#[derive(Clone, Copy)]
enum Missing {
    /// All of it: this kernel cannot take memory out of use.
    Blocks,
    /// The block.
    Block,
    /// Only the file: the block is always in use.
    Switch,
}

/// The verdict on a block that needs no change, or cannot be changed; nothing if it has to be tried. `missing` is asked
/// only if there is no `state`.
fn decide(wanted: bool, state: Result<Vec<u8>, ErrorCode>, missing: impl Fn() -> Missing) -> Option<Verdict> {
    match state {
        // Nothing went wrong, and yet there is no state: as qemu-ga, the number of no error.
        Ok(text) if text.is_empty() => Some((Response::OperationFailed, Some(0))),
        Ok(text) if text.starts_with(b"online") == wanted => Some((Response::Success, None)),
        Ok(_) => None,
        Err(ErrorCode::NoEntry) => {
            let response = match missing() {
                Missing::Blocks => Response::OperationNotSupported,
                Missing::Block => Response::NotFound,
                Missing::Switch if wanted => Response::Success,
                Missing::Switch => Response::OperationNotSupported,
            };
            Some((response, number(ErrorCode::NoEntry)))
        }
        Err(code) => Some((Response::OperationFailed, number(code))),
    }
}

fn changed(outcome: Result<(), ErrorCode>) -> Verdict {
    match outcome {
        Ok(()) => (Response::Success, None),
        Err(code) => (Response::OperationFailed, number(code)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Response::{NotFound, OperationFailed, OperationNotSupported, Success};

    fn decided(state: Result<&str, ErrorCode>, wanted: bool, missing: Missing) -> Option<Verdict> {
        decide(wanted, state.map(Into::into), || missing)
    }

    #[test]
    fn only_what_is_not_yet_so_is_changed() {
        for (state, wanted, change) in [
            ("online\n", true, false),
            ("online\n", false, true),
            ("offline\n", true, true),
            ("offline\n", false, false),
            ("going-offline\n", true, true),
            ("going-offline\n", false, false),
        ] {
            let expected = (!change).then_some((Success, None));
            assert_eq!(decided(Ok(state), wanted, Missing::Switch), expected, "{state} {wanted}");
        }
    }

    #[test]
    fn what_is_missing_makes_the_difference() {
        for wanted in [true, false] {
            let missing = |missing| decided(Err(ErrorCode::NoEntry), wanted, missing);
            assert_eq!(missing(Missing::Blocks), Some((OperationNotSupported, Some(2))));
            assert_eq!(missing(Missing::Block), Some((NotFound, Some(2))));
            let always_in_use = if wanted { Success } else { OperationNotSupported };
            assert_eq!(missing(Missing::Switch), Some((always_in_use, Some(2))));
        }
    }

    #[test]
    fn a_failure_has_the_kernels_number() {
        assert_eq!(changed(Err(ErrorCode::Busy)), (OperationFailed, Some(16)));
        assert_eq!(changed(Err(ErrorCode::Other)), (OperationFailed, None));
        assert_eq!(changed(Ok(())), (Success, None));
        let unread = decided(Err(ErrorCode::Denied), true, Missing::Switch);
        assert_eq!(unread, Some((OperationFailed, Some(13))));
        assert_eq!(decided(Ok(""), true, Missing::Switch), Some((OperationFailed, Some(0))));
    }
}
