//! `guest-exec-status`: what became of a program.

use crate::bindings::bulkhead::agent::processes::{self, Captured, Ending, Stream, UnknownHandle};
use crate::schema::GuestExecStatusArguments;
use base64_simd::STANDARD;
use bulkhead_module::{CommandError, Tail, append};
use std::fmt::Write;

/// How much of the output is in the compartment at once, in bytes. A multiple of 3, so that only the last piece's base64 has
/// padding, and small enough that the piece and its base64 stay in the processor's first-level caches.
const PIECE: u32 = 24 * 1024;

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
        tell(&mut text, name, captured, |offset| processes::read_output(pid, stream, offset, PIECE))?;
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

/// Adds the members for one stream, if there was anything in it. What makes the text long goes to the reply at once.
fn tell(
    text: &mut String,
    name: &str,
    captured: Captured,
    read: impl Fn(u64) -> Result<Vec<u8>, UnknownHandle>,
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
        STANDARD.encode_append(&bytes, text);
        offset += bytes.len() as u64;
        if offset < captured.length {
            append(text.as_bytes());
            text.clear();
        }
    }
    let _ = write!(text, r#"", "{name}-truncated": {}"#, captured.truncated);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(output: &[u8], truncated: bool) -> String {
        let mut text = begin(Ending::Exited(0));
        let captured = Captured { length: output.len() as u64, truncated };
        tell(&mut text, "out", captured, |offset| {
            let from = usize::try_from(offset).unwrap_or(output.len()).min(output.len());
            Ok(output[from..].to_vec())
        })
        .unwrap();
        text
    }

    #[test]
    fn a_stream_without_output_is_not_mentioned() {
        assert_eq!(told(b"", false), r#"{"exitcode": 0"#);
        assert_eq!(told(b"hi", false), r#"{"exitcode": 0, "out-data": "aGk=", "out-truncated": false"#);
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
