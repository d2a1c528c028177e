//! `guest-exec`: starts a program.

use crate::bindings::bulkhead::agent::processes::{self, Output, Program};
use crate::schema::{GuestExec, GuestExecArguments, GuestExecCaptureOutput, GuestExecCaptureOutputMode};
use bulkhead_module::base64::{Decoder, Invalid};
use bulkhead_module::{CommandError, ErrorCode, Streamed};

/// Starts it and does not wait. Bad input is reported before anything is looked for, as in qemu-ga.
pub fn exec(arguments: GuestExecArguments) -> Result<GuestExec, CommandError> {
    let name = &arguments.path;
    if let Some(data) = &arguments.input_data {
        add_input(name, data)?;
    }
    let words = |words: Vec<String>| words.iter().map(|word| system_text(word)).collect();
    let (stdout, stderr) = outputs(arguments.capture_output);
    let program = Program {
        path: system_text(name),
        arguments: arguments.arg.map(words).unwrap_or_default(),
        environment: arguments.env.map(words),
        input: arguments.input_data.is_some(),
        stdout,
        stderr,
    };
    processes::start(&program).map(|pid| GuestExec { pid }).map_err(|code| not_started(name, code))
}

/// Hands the decoded text to the host. What was handed over before an invalid character is dropped with the request.
fn add_input(name: &str, data: &Streamed) -> Result<(), CommandError> {
    let (mut decoder, mut bytes) = (Decoder::default(), Vec::new());
    data.pieces(|piece| {
        bytes.clear();
        let decoded = decoder.decode(piece, &mut bytes);
        decoded.map_err(|Invalid| CommandError::generic("Base64 data contains invalid characters"))?;
        processes::add_input(&bytes).map_err(|code| not_started(name, code))
    })
}

/// What becomes of standard output and standard error.
fn outputs(wanted: Option<GuestExecCaptureOutput>) -> (Output, Output) {
    use GuestExecCaptureOutputMode::{Merged, None, Separated, Stderr, Stdout};
    let mode = match wanted {
        Some(GuestExecCaptureOutput::Mode(mode)) => mode,
        Some(GuestExecCaptureOutput::Flag(true)) => Separated,
        Some(GuestExecCaptureOutput::Flag(false)) | Option::None => None,
    };
    match mode {
        None => (Output::Discard, Output::Discard),
        Stdout => (Output::Capture, Output::Discard),
        Stderr => (Output::Discard, Output::Capture),
        Separated => (Output::Capture, Output::Capture),
        Merged => (Output::Capture, Output::Merge),
    }
}

/// Text as a program gets it. A NUL would end it there; qemu-ga's JSON has two other bytes for it (C0 80), and those are what
/// its programs get.
fn system_text(text: &str) -> Vec<u8> {
    let parts: Vec<&[u8]> = text.split('\0').map(str::as_bytes).collect();
    parts.join([0xC0, 0x80].as_slice())
}

fn not_started(name: &str, code: ErrorCode) -> CommandError {
    CommandError::generic(format!("Failed to execute child process “{name}” ({})", code.text()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(wanted: Option<GuestExecCaptureOutput>) -> &'static str {
        match outputs(wanted) {
            (Output::Discard, Output::Discard) => "none",
            (Output::Capture, Output::Discard) => "stdout",
            (Output::Discard, Output::Capture) => "stderr",
            (Output::Capture, Output::Capture) => "separated",
            (Output::Capture, Output::Merge) => "merged",
            _ => "what no client can ask for",
        }
    }

    #[test]
    fn true_is_separated_and_nothing_is_kept_unless_said() {
        assert_eq!(kept(None), "none");
        assert_eq!(kept(Some(GuestExecCaptureOutput::Flag(false))), "none");
        assert_eq!(kept(Some(GuestExecCaptureOutput::Flag(true))), "separated");
        assert_eq!(kept(Some(GuestExecCaptureOutput::Mode(GuestExecCaptureOutputMode::Stdout))), "stdout");
        assert_eq!(kept(Some(GuestExecCaptureOutput::Mode(GuestExecCaptureOutputMode::Stderr))), "stderr");
        assert_eq!(kept(Some(GuestExecCaptureOutput::Mode(GuestExecCaptureOutputMode::Merged))), "merged");
    }

    #[test]
    fn a_nul_becomes_what_qemu_ga_makes_of_it() {
        assert_eq!(system_text("a\0é\0"), b"a\xC0\x80\xC3\xA9\xC0\x80");
        assert_eq!(system_text(""), b"");
    }

    #[test]
    fn the_program_is_quoted_as_the_client_named_it() {
        let error = not_started("no such\n“program”", ErrorCode::NoEntry);
        assert_eq!(error.desc, "Failed to execute child process “no such\n“program”” (No such file or directory)");
    }
}
