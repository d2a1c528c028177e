//! Error codes as numbers, as `error-code` of a memory block has them.

use bulkhead_module::ErrorCode;
use bulkhead_module::error::last_other;

/// The number that Linux has for it: asm-generic's, which is x86's and Arm's. None if the host does not know it either.
pub fn number(code: ErrorCode) -> Option<i64> {
    let number = match code {
        ErrorCode::NotPermitted => 1,
        ErrorCode::NoEntry => 2,
        ErrorCode::Interrupted => 4,
        ErrorCode::Io => 5,
        ErrorCode::NoSuchDevice => 6,
        ErrorCode::ArgumentListTooLong => 7,
        ErrorCode::ExecFormat => 8,
        ErrorCode::BadDescriptor => 9,
        ErrorCode::Again => 11,
        ErrorCode::NoMemory => 12,
        // The number a client sees when the kernel refuses for the same reason.
        ErrorCode::Denied | ErrorCode::Access => 13,
        ErrorCode::Busy => 16,
        ErrorCode::Exist => 17,
        ErrorCode::CrossDevice => 18,
        ErrorCode::NoDevice => 19,
        ErrorCode::NotDirectory => 20,
        ErrorCode::IsDirectory => 21,
        ErrorCode::Invalid => 22,
        ErrorCode::TooManyOpenFilesInSystem => 23,
        ErrorCode::TooManyOpenFiles => 24,
        ErrorCode::NoTty => 25,
        ErrorCode::TextBusy => 26,
        ErrorCode::FileTooLarge => 27,
        ErrorCode::NoSpace => 28,
        ErrorCode::IllegalSeek => 29,
        ErrorCode::ReadOnly => 30,
        ErrorCode::BrokenPipe => 32,
        ErrorCode::NameTooLong => 36,
        ErrorCode::NoSystemCall => 38,
        ErrorCode::Loop => 40,
        ErrorCode::Overflow => 75,
        ErrorCode::NotSupported => 95,
        ErrorCode::TimedOut => 110,
        ErrorCode::Stale => 116,
        ErrorCode::Quota => 122,
        ErrorCode::Other => return Some(i64::from(last_other().0)).filter(|number| *number != 0),
    };
    Some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The machine that runs this test knows better than this list.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_number_is_the_one_whose_text_the_system_has() {
        let codes = [
            ErrorCode::NotPermitted,
            ErrorCode::NoEntry,
            ErrorCode::Interrupted,
            ErrorCode::Io,
            ErrorCode::NoSuchDevice,
            ErrorCode::ArgumentListTooLong,
            ErrorCode::ExecFormat,
            ErrorCode::BadDescriptor,
            ErrorCode::Again,
            ErrorCode::NoMemory,
            ErrorCode::Denied,
            ErrorCode::Access,
            ErrorCode::Busy,
            ErrorCode::Exist,
            ErrorCode::CrossDevice,
            ErrorCode::NoDevice,
            ErrorCode::NotDirectory,
            ErrorCode::IsDirectory,
            ErrorCode::Invalid,
            ErrorCode::TooManyOpenFilesInSystem,
            ErrorCode::TooManyOpenFiles,
            ErrorCode::NoTty,
            ErrorCode::TextBusy,
            ErrorCode::FileTooLarge,
            ErrorCode::NoSpace,
            ErrorCode::IllegalSeek,
            ErrorCode::ReadOnly,
            ErrorCode::BrokenPipe,
            ErrorCode::NameTooLong,
            ErrorCode::NoSystemCall,
            ErrorCode::Loop,
            ErrorCode::Overflow,
            ErrorCode::NotSupported,
            ErrorCode::TimedOut,
            ErrorCode::Stale,
            ErrorCode::Quota,
        ];
        for code in codes {
            let number = number(code).and_then(|number| i32::try_from(number).ok()).expect("it has a number");
            let text = std::io::Error::from_raw_os_error(number).to_string();
            assert_eq!(text, format!("{} (os error {number})", code.text()));
        }
        assert_eq!(number(ErrorCode::Other), None);
    }
}
