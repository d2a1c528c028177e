//! Replies: one line each, in ASCII, the members in the order in which qemu-ga happens to write them.

use crate::canonical::Id;
use crate::text::push_escaped;

/// The byte that a client may ask for before a reply, to find where fresh bytes begin: it is in no JSON text.
pub const SENTINEL: u8 = 0xFF;

/// The kinds of error that QMP still tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorClass {
    /// Everything but the following.
    GenericError,
    /// The command is not known, or is not allowed (now).
    CommandNotFound,
}

impl ErrorClass {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::GenericError => "GenericError",
            Self::CommandNotFound => "CommandNotFound",
        }
    }
}

/// Begins the reply to a request that succeeded, after the [`SENTINEL`] if asked for. Then append the text of the
/// return, in as many pieces as it comes, one JSON value in one line of ASCII (a
/// [`ReturnChecker`](crate::ReturnChecker) sees to that), and call [`finish_success`].
pub fn begin_success(buffer: &mut Vec<u8>, sentinel: bool) {
    if sentinel {
        buffer.push(SENTINEL);
    }
    buffer.extend_from_slice(b"{\"return\": ");
}

/// Ends what [`begin_success`] began, with the request's `id` if it had one.
pub fn finish_success(buffer: &mut Vec<u8>, id: Option<&Id>) {
    if let Some(id) = id {
        buffer.extend_from_slice(b", \"id\": ");
        buffer.extend_from_slice(id.as_str().as_bytes());
    }
    buffer.extend_from_slice(b"}\n");
}

/// Appends a whole error reply. `desc` may be any text; it is escaped.
pub fn write_error(buffer: &mut Vec<u8>, class: ErrorClass, desc: &str, id: Option<&Id>) {
    let mut text = String::with_capacity(64 + desc.len());
    text.push('{');
    if let Some(id) = id {
        text.push_str("\"id\": ");
        text.push_str(id.as_str());
        text.push_str(", ");
    }
    text.push_str("\"error\": {\"class\": \"");
    text.push_str(class.as_str());
    text.push_str("\", \"desc\": \"");
    push_escaped(&mut text, desc);
    text.push_str("\"}}\n");
    buffer.extend_from_slice(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn success() {
        let mut buffer = Vec::new();
        begin_success(&mut buffer, false);
        buffer.extend_from_slice(b"{}");
        finish_success(&mut buffer, None);
        begin_success(&mut buffer, true);
        buffer.extend_from_slice(b"1");
        finish_success(&mut buffer, Some(&Id::new("\"q\"")));
        assert_eq!(buffer, b"{\"return\": {}}\n\xFF{\"return\": 1, \"id\": \"q\"}\n");
    }

    #[test]
    fn errors() {
        let mut buffer = Vec::new();
        write_error(&mut buffer, ErrorClass::CommandNotFound, "The command guest-é\0\n has not been found", None);
        write_error(&mut buffer, ErrorClass::GenericError, "Parameter 'z' is unexpected", Some(&Id::new("9")));
        let expected = concat!(
            r#"{"error": {"class": "CommandNotFound", "desc": "The command guest-\u00E9\u0000\n has not been found"}}"#,
            "\n",
            r#"{"id": 9, "error": {"class": "GenericError", "desc": "Parameter 'z' is unexpected"}}"#,
            "\n"
        );
        assert_eq!(String::from_utf8(buffer).unwrap(), expected);
    }
}
