//! `guest-get-memory-block-info`: how large a block of memory is.

use crate::memory_blocks::{FOLDER, empty};
use crate::schema::{GuestGetMemoryBlockInfoArguments, GuestMemoryBlockInfo};
use crate::system;
use bulkhead_module::{CommandError, ErrorCode};

const FILE: &str = "block_size_bytes";

/// Tells the size.
pub fn memory_block_info(_: GuestGetMemoryBlockInfoArguments) -> Result<GuestMemoryBlockInfo, CommandError> {
    let text = system::read(&format!("{FOLDER}{FILE}"))
        .map_err(|code| not_read(code, || system::entries(FOLDER.trim_end_matches('/')).err()))?;
    Ok(GuestMemoryBlockInfo { size: parse(&text)? })
}

/// Which of the two is missing, the folder or the file in it.
fn not_read(code: ErrorCode, folder: impl Fn() -> Option<ErrorCode>) -> CommandError {
    match folder() {
        Some(code) => system::not_opened(FOLDER, code),
        None => CommandError::generic(format!("open sysfs file \"{FILE}\": {}", code.text())),
    }
}

/// Hexadecimal digits, of which Linux writes no `0x` before.
fn parse(text: &[u8]) -> Result<u64, CommandError> {
    if text.is_empty() {
        return Err(empty(FILE));
    }
    let digits = str::from_utf8(text.trim_ascii()).unwrap_or_default();
    let digits = digits.strip_prefix("0x").unwrap_or(digits);
    let size = if digits.starts_with('+') { None } else { u64::from_str_radix(digits, 16).ok() };
    size.ok_or_else(|| CommandError::generic(format!("sysfs file \"{FILE}\" holds no size")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_is_hexadecimal() {
        assert_eq!(parse(b"8000000\n"), Ok(128 << 20));
        assert_eq!(parse(b"0x10"), Ok(16));
        assert_eq!(parse(b"ffffffffffffffff"), Ok(u64::MAX));
    }

    #[test]
    fn what_is_no_size_is_an_error() {
        for text in ["zz", "-1", "+1", "10000000000000000", "8000000 x", "\n"] {
            assert_eq!(
                parse(text.as_bytes()).unwrap_err().desc,
                "sysfs file \"block_size_bytes\" holds no size",
                "{text}"
            );
        }
        assert_eq!(parse(b"").unwrap_err().desc, "pread sysfs file \"block_size_bytes\": unexpected EOF");
    }

    #[test]
    fn the_error_names_what_is_missing() {
        let missing = || Some(ErrorCode::NoEntry);
        assert_eq!(
            not_read(ErrorCode::NoEntry, missing).desc,
            "open(\"/sys/devices/system/memory/\"): No such file or directory"
        );
        assert_eq!(
            not_read(ErrorCode::NoEntry, || None).desc,
            "open sysfs file \"block_size_bytes\": No such file or directory"
        );
    }
}
