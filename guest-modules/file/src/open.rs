//! `guest-file-open`: a path and an fopen(3) mode become a handle.

use crate::bindings::bulkhead::agent::files::{self, OpenFlags, Whence};
use crate::schema::GuestFileOpenArguments;
use bulkhead_module::CommandError;

/// Opens for reading unless a mode says otherwise.
pub fn open(arguments: GuestFileOpenArguments) -> Result<i64, CommandError> {
    let mode = arguments.mode.as_deref().unwrap_or("r");
    let path = &arguments.path;
    let flags = flags(mode).ok_or_else(|| CommandError::generic(format!("invalid file open mode '{mode}'")))?;
    let handle = files::open(path, flags).map_err(|code| {
        CommandError::generic(format!("failed to open file '{path}' (mode: '{mode}'): {}", code.text()))
    })?;
    if flags.contains(OpenFlags::APPEND) && !flags.contains(OpenFlags::READ) {
        // As fdopen(3) does for a file that is only appended to: a client that asks for the position sees the end.
        // What cannot seek (a FIFO) has no position to set.
        let _ = files::seek(handle, 0, Whence::End);
    }
    Ok(handle)
}

/// The fifteen modes of fopen(3) that qemu-ga takes; `b` means nothing on Linux.
fn flags(mode: &str) -> Option<OpenFlags> {
    let create = OpenFlags::WRITE | OpenFlags::CREATE;
    Some(match mode {
        "r" | "rb" => OpenFlags::READ,
        "w" | "wb" => create | OpenFlags::TRUNCATE,
        "a" | "ab" => create | OpenFlags::APPEND,
        "r+" | "rb+" | "r+b" => OpenFlags::READ | OpenFlags::WRITE,
        "w+" | "wb+" | "w+b" => OpenFlags::READ | create | OpenFlags::TRUNCATE,
        "a+" | "ab+" | "a+b" => OpenFlags::READ | create | OpenFlags::APPEND,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_alone_never_creates() {
        assert_eq!(flags("r"), Some(OpenFlags::READ));
        assert_eq!(flags("r+b"), Some(OpenFlags::READ | OpenFlags::WRITE));
    }

    #[test]
    fn appending_never_truncates() {
        for mode in ["a", "ab", "a+", "ab+", "a+b"] {
            let flags = flags(mode).unwrap();
            assert!(flags.contains(OpenFlags::APPEND | OpenFlags::CREATE), "{mode}");
            assert!(!flags.contains(OpenFlags::TRUNCATE), "{mode}");
        }
    }

    #[test]
    fn other_modes_of_the_c_library_are_refused() {
        for mode in ["", "rt", "re", "wx", "R", "r ", "+r"] {
            assert_eq!(flags(mode), None, "{mode}");
        }
    }
}
