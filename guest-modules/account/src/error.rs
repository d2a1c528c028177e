//! What the client reads when a user's keys could not be read or written.

use crate::bindings::bulkhead::agent::accounts::KeysError;
use bulkhead_module::{CommandError, ErrorCode};

/// The keys of `user` were not read.
pub fn not_read(user: &str, error: KeysError) -> CommandError {
    match error {
        KeysError::NoFile((path, ErrorCode::IsDirectory)) => CommandError::generic(format!(
            "failed to read '{path}': Error reading file \u{201C}{path}\u{201D}: {}",
            ErrorCode::IsDirectory.text(),
            path = String::from_utf8_lossy(&path)
        )),
        KeysError::NoFile((path, code)) => CommandError::generic(format!(
            "failed to read '{path}': Failed to open file \u{201C}{path}\u{201D}: {}",
            code.text(),
            path = String::from_utf8_lossy(&path)
        )),
        other => not_written(user, other),
    }
}

/// The keys of `user` were not written.
pub fn not_written(user: &str, error: KeysError) -> CommandError {
    CommandError::generic(match error {
        KeysError::Denied => format!("the keys of user '{user}' are denied by the owner's policy"),
        // "Success" is what qemu-ga says of it, and clients know it.
        KeysError::NoUser => format!("failed to lookup user '{user}': Success"),
        KeysError::NotLookedUp(code) => format!("failed to lookup user '{user}': {}", code.text()),
        KeysError::NotUser(code) => format!("failed to set effective user ID for user '{user}': {}", code.text()),
        KeysError::NoFolder((path, code)) => {
            format!("failed to create directory '{}': {}", String::from_utf8_lossy(&path), code.text())
        }
        KeysError::NoFile((path, code)) => {
            format!("failed to write to '{}': {}", String::from_utf8_lossy(&path), code.text())
        }
        KeysError::TooLong => format!("the keys of user '{user}' would be too long"),
        KeysError::TimedOut => format!("the home folder of user '{user}' does not answer"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_as_qemu_ga_names_them() {
        let file = |code| KeysError::NoFile((b"/home/alice/.ssh/authorized_keys".to_vec(), code));
        let path = "/home/alice/.ssh/authorized_keys";
        for (code, what, reason) in [
            (ErrorCode::NoEntry, "Failed to open file", "No such file or directory"),
            (ErrorCode::IsDirectory, "Error reading file", "Is a directory"),
        ] {
            let desc = format!("failed to read '{path}': {what} \u{201C}{path}\u{201D}: {reason}");
            assert_eq!(not_read("alice", file(code)).desc, desc);
        }
        assert_eq!(
            not_written("alice", file(ErrorCode::NoSpace)).desc,
            "failed to write to '/home/alice/.ssh/authorized_keys': No space left on device"
        );
        let folder = KeysError::NoFolder((b"/home/alice/.ssh".to_vec(), ErrorCode::NoEntry));
        assert_eq!(
            not_written("alice", folder).desc,
            "failed to create directory '/home/alice/.ssh': No such file or directory"
        );
    }

    #[test]
    fn users_are_named_as_qemu_ga_names_them() {
        assert_eq!(not_read("x", KeysError::NoUser).desc, "failed to lookup user 'x': Success");
        let refused = KeysError::NotUser(ErrorCode::NotPermitted);
        assert_eq!(
            not_written("x", refused).desc,
            "failed to set effective user ID for user 'x': Operation not permitted"
        );
    }
}
