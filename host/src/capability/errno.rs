//! errno as the words of `wit/types.wit`.

use super::interface::types::{ErrorCode, MountError as WitMountError, ProgramError as WitProgramError};
use bulkhead_gate::{Errno, GateError, MountError, ProgramError};

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
            tracing::warn!("the system answered {other}, for which modules have no word");
            ErrorCode::Other
        }
    }
}

/// The word for an error of file input or output.
pub(super) fn io(error: &std::io::Error) -> ErrorCode {
    error.raw_os_error().map_or(ErrorCode::Io, |number| word(Errno::from_raw(number)))
}

/// What the gate said, for a capability whose errors are errno words.
pub(super) fn code(error: GateError<Errno>) -> ErrorCode {
    match error {
        GateError::Failed(errno) => word(errno),
        GateError::Denied { .. } => ErrorCode::Denied,
    }
}

/// What the gate said about a mount point.
pub(super) fn mount(error: GateError<MountError>) -> WitMountError {
    match error {
        GateError::Failed(MountError::NotOpened(errno)) => WitMountError::NotOpened(word(errno)),
        GateError::Failed(MountError::Failed(errno)) => WitMountError::Failed(word(errno)),
        GateError::Denied { .. } => WitMountError::Failed(ErrorCode::Denied),
    }
}

/// What the gate said about the program at `path`.
pub(super) fn program(error: GateError<ProgramError>, path: &str) -> WitProgramError {
    let text = |output: Vec<u8>| String::from_utf8_lossy(&output).into_owned();
    match error {
        GateError::Failed(ProgramError::NotStarted(errno)) => {
            WitProgramError::NotStarted((path.to_owned(), word(errno)))
        }
        GateError::Failed(ProgramError::Exited { status, output }) => WitProgramError::Exited((status, text(output))),
        GateError::Failed(ProgramError::Killed { signal, output }) => WitProgramError::Killed((signal, text(output))),
        GateError::Failed(ProgramError::TimedOut) => WitProgramError::TimedOut,
        GateError::Denied { .. } => WitProgramError::Denied,
    }
}
