//! `guest-exec-status`: what became of a program.

use crate::bindings::bulkhead::agent::processes::{self, Captured, Ending, Stream, UnknownHandle};
use crate::schema::GuestExecStatusArguments;
use bulkhead_module::{CommandError, Tail, append, append_base64};
use std::fmt::Write;

/// How much of the output is in the compartment at once, in bytes. A multiple of 3, so that only the last piece's base64 has
/// padding, and small enough to stay in the processor's caches.
const PIECE: u32 = 48 * 1024;

/// Tells of the end once: what was told is forgotten. Of the output nothing is told before the end.
pub fn status(arguments: GuestExecStatusArguments) -> Result<Tail, CommandError> {
    let pid = arguments.pid;
    let progress = processes::status(pid).map_err(unknown)?;
    let Some(ending) = progress.ended else {
        return Ok(Tail(r#"{"exited": false}"#.to_owned()));
    };
    let mut text = begin(ending);
    for (name, stream, captured) in [("out", Stream::Stdout, progress.stdout), ("err", Stream::Stderr, progress.stderr)]
    {
        let read = |offset| processes::read_output(pid, stream, offset, PIECE);
        tell(&mut text, name, captured, read, |text, bytes| {
            append(text.as_bytes());
            append_base64(bytes);
        })?;
    }
    text.push_str(r#", "exited": true}"#);
    processes::forget(pid).map_err(unknown)?;
    Ok(Tail(text))
}

fn unknown(UnknownHandle { handle }: UnknownHandle) -> CommandError {
    CommandError::generic(format!("PID {handle} does not exist"))
}

fn begin(ending: Ending) -> String {
    match ending {
        Ending::Exited(status) => format!(r#"{{"exitcode": {status}"#),
        Ending::Killed(signal) => format!(r#"{{"signal": {signal}"#),
    }
}

/// Adds the members for one stream, if there was anything in it. Before each piece of its output, the text goes to the reply with
/// that piece.
fn tell(
    text: &mut String,
    name: &str,
    captured: Captured,
    read: impl Fn(u64) -> Result<Vec<u8>, UnknownHandle>,
    mut reply: impl FnMut(&str, &[u8]),
) -> Result<(), CommandError> {
    if captured.length == 0 && !captured.truncated {
        return Ok(());
    }
    let _ = write!(text, r#", "{name}-data": ""#);
    let mut offset = 0;
    while offset < captured.length {
        let bytes = read(offset).map_err(unknown)?;
        if bytes.is_empty() {
            break;
        }
        reply(text, &bytes);
        text.clear();
        offset += bytes.len() as u64;
    }
    let _ = write!(text, r#"", "{name}-truncated": {}"#, captured.truncated);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(output: &[u8], truncated: bool) -> String {
        let (mut text, mut told) = (begin(Ending::Exited(0)), String::new());
        let captured = Captured { length: output.len() as u64, truncated };
        let read = |offset| {
            let from = usize::try_from(offset).unwrap_or(output.len()).min(output.len());
            Ok(output[from..].to_vec())
        };
        tell(&mut text, "out", captured, read, |text, bytes| told += &format!("{text}<{}>", bytes.escape_ascii()))
            .unwrap();
        told + &text
    }

    #[test]
    fn a_stream_without_output_is_not_mentioned() {
        assert_eq!(told(b"", false), r#"{"exitcode": 0"#);
        assert_eq!(told(b"hi", false), r#"{"exitcode": 0, "out-data": "<hi>", "out-truncated": false"#);
        assert!(told(b"", true).ends_with(r#""out-data": "", "out-truncated": true"#), "all of it was lost");
    }

    #[test]
    fn a_signal_is_no_exit_status() {
        assert_eq!(begin(Ending::Killed(9)), r#"{"signal": 9"#);
        assert_eq!(begin(Ending::Exited(255)), r#"{"exitcode": 255"#);
    }

    #[test]
    fn a_number_that_is_nobodys_is_named() {
        assert_eq!(unknown(UnknownHandle { handle: -1 }).desc, "PID -1 does not exist");
    }

    #[test]
    fn pieces_need_no_padding() {
        assert_eq!(PIECE % 3, 0);
    }
}
