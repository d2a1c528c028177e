//! What a client gets in place of a return.

use crate::{CommandError, ErrorClass, ErrorCode, ProgramError};
use std::borrow::Cow;

impl CommandError {
    /// An error of the class `GenericError`, which is nearly every error.
    pub fn generic(desc: impl Into<String>) -> Self {
        CommandError { class: ErrorClass::GenericError, desc: desc.into() }
    }

    /// The command is not one of this module's.
    pub fn not_found(command: &str) -> Self {
        CommandError { class: ErrorClass::CommandNotFound, desc: format!("The command {command} has not been found") }
    }

    /// A program that the host ran for the command has failed to do `what`. As qemu-ga, shows what the program
    /// printed or, if it printed nothing, how it ended.
    pub fn program(what: &str, error: &ProgramError) -> Self {
        let detail = match error {
            ProgramError::Denied => "denied by the owner's policy".to_owned(),
            ProgramError::NotStarted((path, code)) => format!("failed to exec '{path}': {}\n", code.text()),
            ProgramError::Exited((_, output)) | ProgramError::Killed((_, output)) if !output.is_empty() => {
                output.clone()
            }
            ProgramError::Exited((status, _)) => format!("exit status {status}"),
            ProgramError::Killed((signal, _)) => format!("killed by signal {signal}"),
            ProgramError::TimedOut => "it did not end in time and was killed".to_owned(),
        };
        Self::generic(format!("child process has failed to {what}: {detail}"))
    }
}

impl ErrorCode {
    /// The text that strerror(3) of the GNU C library has for it: clients match on these words. Of [`ErrorCode::Other`] the host
    /// knows it; ask before the host is asked for anything else.
    pub fn text(self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            // The words a client sees when the kernel refuses for the same reason.
            ErrorCode::Denied | ErrorCode::Access => "Permission denied",
            ErrorCode::ArgumentListTooLong => "Argument list too long",
            ErrorCode::Again => "Resource temporarily unavailable",
            ErrorCode::BadDescriptor => "Bad file descriptor",
            ErrorCode::Busy => "Device or resource busy",
            ErrorCode::Quota => "Disk quota exceeded",
            ErrorCode::Exist => "File exists",
            ErrorCode::FileTooLarge => "File too large",
            ErrorCode::Interrupted => "Interrupted system call",
            ErrorCode::Invalid => "Invalid argument",
            ErrorCode::Io => "Input/output error",
            ErrorCode::IsDirectory => "Is a directory",
            ErrorCode::Loop => "Too many levels of symbolic links",
            ErrorCode::TooManyOpenFiles => "Too many open files",
            ErrorCode::NameTooLong => "File name too long",
            ErrorCode::TooManyOpenFilesInSystem => "Too many open files in system",
            ErrorCode::NoDevice => "No such device",
            ErrorCode::NoEntry => "No such file or directory",
            ErrorCode::ExecFormat => "Exec format error",
            ErrorCode::NoMemory => "Cannot allocate memory",
            ErrorCode::NoSpace => "No space left on device",
            ErrorCode::NoSystemCall => "Function not implemented",
            ErrorCode::NotDirectory => "Not a directory",
            ErrorCode::NoTty => "Inappropriate ioctl for device",
            ErrorCode::NoSuchDevice => "No such device or address",
            ErrorCode::NotSupported => "Operation not supported",
            ErrorCode::Overflow => "Value too large for defined data type",
            ErrorCode::NotPermitted => "Operation not permitted",
            ErrorCode::BrokenPipe => "Broken pipe",
            ErrorCode::ReadOnly => "Read-only file system",
            ErrorCode::IllegalSeek => "Illegal seek",
            ErrorCode::Stale => "Stale file handle",
            ErrorCode::TimedOut => "Connection timed out",
            ErrorCode::TextBusy => "Text file busy",
            ErrorCode::CrossDevice => "Invalid cross-device link",
            ErrorCode::Other => return Cow::Owned(last_other().1),
        })
    }
}

/// Number and text of the last errno that is not among the words of [`ErrorCode`].
#[cfg(target_arch = "wasm32")]
pub fn last_other() -> (i32, String) {
    let other = crate::bindings::bulkhead::agent::types::last_other();
    (other.number, other.text)
}

/// Natively, in tests, there is no host that knows.
#[cfg(not(target_arch = "wasm32"))]
pub fn last_other() -> (i32, String) {
    (0, "Unknown error".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_program_shows_its_output_before_its_status() {
        let desc = |error| CommandError::program("shutdown", &error).desc;
        assert_eq!(
            desc(ProgramError::Exited((7, "boom\n".to_owned()))),
            "child process has failed to shutdown: boom\n"
        );
        assert_eq!(
            desc(ProgramError::Exited((7, String::new()))),
            "child process has failed to shutdown: exit status 7"
        );
        assert_eq!(
            desc(ProgramError::NotStarted(("/sbin/shutdown".to_owned(), ErrorCode::NoEntry))),
            "child process has failed to shutdown: failed to exec '/sbin/shutdown': No such file or directory\n"
        );
    }
}
