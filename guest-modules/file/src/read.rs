//! `guest-file-read`: bytes of a file, as base64.

use crate::bindings::bulkhead::agent::files;
use crate::error::failed;
use crate::schema::GuestFileReadArguments;
use bulkhead_module::{CommandError, Tail, append, append_base64};

/// What a client gets that does not say how much it wants, in bytes.
const DEFAULT_COUNT: i64 = 4096;

/// The most a client may ask for in one call, in bytes (48 MiB). qemu-ga's limit, from the time when a larger count
/// made it run out of memory; clients know it.
const MAX_COUNT: i64 = 48 * 1024 * 1024;

/// How much of the file is in the compartment at once, in bytes. A multiple of 3, so that only the last piece's
/// base64 has padding, and small enough to stay in the processor's caches.
const PIECE: u32 = 48 * 1024;

/// Reads from the file's position. The end of the file is reported when it was met: a read that ends exactly there
/// has not met it yet.
pub fn read(arguments: GuestFileReadArguments) -> Result<Tail, CommandError> {
    let handle = arguments.handle;
    let count = match checked(arguments.count.unwrap_or(DEFAULT_COUNT)) {
        Ok(count) => count,
        // An unknown handle is reported before a bad count, as in qemu-ga.
        Err(error) => {
            return files::flush(handle).map_err(|error| failed("failed to read file", handle, error)).and(Err(error));
        }
    };
    append(br#"{"buf-b64": ""#);
    let mut done = 0;
    let eof = loop {
        let wanted = PIECE.min(count - done);
        let chunk = files::read(handle, wanted).map_err(|error| failed("failed to read file", handle, error))?;
        let got = u32::try_from(chunk.data.len()).unwrap_or(u32::MAX);
        append_base64(&chunk.data);
        done += got;
        // Fewer bytes than wanted and no end: nothing more is there now (a FIFO, say), and that is an answer too.
        if chunk.eof || got < wanted || done >= count {
            break chunk.eof;
        }
    };
    Ok(Tail(format!(r#"", "count": {done}, "eof": {eof}}}"#)))
}

fn checked(count: i64) -> Result<u32, CommandError> {
    match u32::try_from(count) {
        Ok(fits) if count <= MAX_COUNT => Ok(fits),
        _ => Err(CommandError::generic(format!("value '{count}' is invalid for argument count"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_is_at_most_48_mib() {
        assert_eq!(checked(0), Ok(0));
        assert_eq!(checked(50_331_648), Ok(50_331_648));
        for wrong in [-1, 50_331_649, i64::MAX, i64::MIN] {
            assert_eq!(checked(wrong).unwrap_err().desc, format!("value '{wrong}' is invalid for argument count"));
        }
    }

    #[test]
    fn pieces_need_no_padding() {
        assert_eq!(PIECE % 3, 0);
    }
}
