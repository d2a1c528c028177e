//! errno as the words of `wit/types.wit`.

use super::Compartment;
use super::interface::types::{
    ErrorCode, Host, MountError as WitMountError, OtherError, ProgramError as WitProgramError,
};
use bulkhead_border::{Errno, MountError, ProgramError, ProgramFailure, Refusal};
use std::cell::Cell;

thread_local! {
    /// The last errno of this request that modules have no word for. Requests run one after the other on one thread.
    static LAST_OTHER: Cell<Errno> = const { Cell::new(Errno::UnknownErrno) };
}

impl Host for Compartment {
    fn last_other(&mut self) -> wasmtime::Result<OtherError> {
        self.called(0)?;
        let number = LAST_OTHER.get() as i32;
        Ok(OtherError { number, text: words(number) })
    }
}

/// A request begins: what a former one has met is nothing to its module.
pub(super) fn forget() {
    LAST_OTHER.set(Errno::UnknownErrno);
}

/// What strerror(3) says of an errno. A number that the kernel should have kept to itself is none (0).
fn words(number: i32) -> String {
    if number == 0 {
        return "Unknown error".to_owned();
    }
    let text = std::io::Error::from_raw_os_error(number).to_string();
    text.strip_suffix(&format!(" (os error {number})")).unwrap_or(&text).to_owned()
}

/// The word for an errno.
pub(super) fn word(errno: Errno) -> ErrorCode {
    match errno {
        Errno::EACCES => ErrorCode::Access,
        Errno::E2BIG => ErrorCode::ArgumentListTooLong,
        Errno::EAGAIN => ErrorCode::Again,
        Errno::EBADF => ErrorCode::BadDescriptor,
        Errno::EBUSY => ErrorCode::Busy,
        Errno::EDQUOT => ErrorCode::Quota,
        Errno::EEXIST => ErrorCode::Exist,
        Errno::EFBIG => ErrorCode::FileTooLarge,
        Errno::EINTR => ErrorCode::Interrupted,
        Errno::EINVAL => ErrorCode::Invalid,
        Errno::EIO => ErrorCode::Io,
        Errno::EISDIR => ErrorCode::IsDirectory,
        Errno::ELOOP => ErrorCode::Loop,
        Errno::EMFILE => ErrorCode::TooManyOpenFiles,
        Errno::ENAMETOOLONG => ErrorCode::NameTooLong,
        Errno::ENFILE => ErrorCode::TooManyOpenFilesInSystem,
        Errno::ENODEV => ErrorCode::NoDevice,
        Errno::ENOENT => ErrorCode::NoEntry,
        Errno::ENOEXEC => ErrorCode::ExecFormat,
        Errno::ENOMEM => ErrorCode::NoMemory,
        Errno::ENOSPC => ErrorCode::NoSpace,
        Errno::ENOSYS => ErrorCode::NoSystemCall,
        Errno::ENOTDIR => ErrorCode::NotDirectory,
        Errno::ENOTTY => ErrorCode::NoTty,
        Errno::ENXIO => ErrorCode::NoSuchDevice,
        Errno::EOPNOTSUPP => ErrorCode::NotSupported,
        Errno::EOVERFLOW => ErrorCode::Overflow,
        Errno::EPERM => ErrorCode::NotPermitted,
        Errno::EPIPE => ErrorCode::BrokenPipe,
        Errno::EROFS => ErrorCode::ReadOnly,
        Errno::ESPIPE => ErrorCode::IllegalSeek,
        Errno::ESTALE => ErrorCode::Stale,
        Errno::ETIMEDOUT => ErrorCode::TimedOut,
        Errno::ETXTBSY => ErrorCode::TextBusy,
        Errno::EXDEV => ErrorCode::CrossDevice,
        other => {
            LAST_OTHER.set(other);
            ErrorCode::Other
        }
    }
}

/// What the broker said, for a capability whose errors are errno words.
pub(super) fn code(refusal: Refusal<Errno>) -> ErrorCode {
    match refusal {
        Refusal::Failed(errno) => word(errno),
        Refusal::Denied => ErrorCode::Denied,
    }
}

/// What the broker said about a mount point.
pub(super) fn mount(refusal: Refusal<MountError>) -> WitMountError {
    match refusal {
        Refusal::Failed(MountError::NotOpened(errno)) => WitMountError::NotOpened(word(errno)),
        Refusal::Failed(MountError::Failed(errno)) => WitMountError::Failed(word(errno)),
        Refusal::Denied => WitMountError::Failed(ErrorCode::Denied),
    }
}

/// What the broker said about a program.
pub(super) fn program(refusal: Refusal<ProgramFailure>) -> WitProgramError {
    let text = |output: Vec<u8>| String::from_utf8_lossy(&output).into_owned();
    let Refusal::Failed(ProgramFailure { program, why }) = refusal else { return WitProgramError::Denied };
    match why {
        ProgramError::NotStarted(errno) => WitProgramError::NotStarted((program, word(errno))),
        ProgramError::Exited { status, output } => WitProgramError::Exited((status, text(output))),
        ProgramError::Killed { signal, output } => WitProgramError::Killed((signal, text(output))),
        ProgramError::TimedOut => WitProgramError::TimedOut,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_word_has_a_number_and_a_text() {
        for (errno, text) in [
            (Errno::ENOTCONN, "Transport endpoint is not connected"),
            (Errno::EUCLEAN, "Structure needs cleaning"),
            (Errno::ENOKEY, "Required key not available"),
            (Errno::EBADMSG, "Bad message"),
            (Errno::EREMOTEIO, "Remote I/O error"),
            (Errno::ENODATA, "No data available"),
            (Errno::EAFNOSUPPORT, "Address family not supported by protocol"),
        ] {
            assert_eq!(word(errno), ErrorCode::Other);
            assert_eq!(words(LAST_OTHER.get() as i32), text);
        }
        forget();
        assert_eq!(words(LAST_OTHER.get() as i32), "Unknown error", "the next request learns nothing of it");
    }
}
