//! Reading the system's files, with errors in qemu-ga's words.

use crate::bindings::bulkhead::agent::system_files;
use bulkhead_module::{CommandError, ErrorCode};
#[cfg(test)]
pub(crate) use bulkhead_test_support::hostile;

/// How long a line may be, in bytes. The longest of those read here, an entry of os-release, has some hundred; without the bound
/// what is made of one line could fill the compartment.
const LONGEST_LINE: usize = 4096;

/// The bytes of a system file.
pub fn read(path: &str) -> Result<Vec<u8>, ErrorCode> {
    system_files::read(path.as_bytes())
}

/// The bytes of a system file without which there is no answer.
pub fn read_or_error(path: &str) -> Result<Vec<u8>, CommandError> {
    read(path).map_err(|code| not_opened(path, code))
}

/// The names in a folder that are UTF-8; the kernel has no others where a command looks.
pub fn entries(path: &str) -> Result<Vec<String>, ErrorCode> {
    let names = system_files::entries(path.as_bytes())?;
    Ok(names.into_iter().filter_map(|name| String::from_utf8(name).ok()).collect())
}

/// The file or folder at `path` could not be opened.
pub fn not_opened(path: &str, code: ErrorCode) -> CommandError {
    CommandError::generic(format!("open(\"{path}\"): {}", code.text()))
}

/// The lines of a text. One longer than [`LONGEST_LINE`] is not what anybody reads here and passed over.
pub fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| *byte == b'\n').filter(|line| line.len() <= LONGEST_LINE)
}

/// Text of the system as a client may see it: what is not UTF-8 becomes U+FFFD.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// That what a command returns is what its schema promises, for tests.
#[cfg(test)]
#[track_caller]
pub(crate) fn assert_fits(command: &str, returned: impl bulkhead_module::IntoReturn) {
    let text = returned.into_return();
    let schema = bulkhead_schema::load("report").unwrap();
    schema.check_return(command, &text).unwrap_or_else(|mismatch| panic!("{command} {text}: {mismatch}"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_too_long_is_passed_over() {
        let longest = [b'x'; LONGEST_LINE];
        let text = [b"a\n".as_slice(), &longest, b"y\n", &longest, b"\nb"].concat();
        assert_eq!(lines(&text).collect::<Vec<_>>(), [b"a".as_slice(), &longest, b"b"]);
    }
}
