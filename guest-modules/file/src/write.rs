//! `guest-file-write`: base64 becomes bytes of a file.

use crate::bindings::bulkhead::agent::files;
use crate::error::failed;
use crate::schema::{GuestFileWrite, GuestFileWriteArguments};
use bulkhead_module::base64::{Decoder, Invalid, Measure};
use bulkhead_module::{CommandError, DECODED_PIECE, Streamed};

/// The longest text, in bytes, that is decoded whole before any of it is written: that of 64 KiB, with line ends. What 64 KiB
/// without line ends need fits into the memory that the compartment has from its start; more has it grow.
const WHOLE: u64 = 90 * 1024;

/// Writes at the file's position, or at its end if it was opened for appending. A bad character anywhere in the text writes nothing.
pub fn write(arguments: GuestFileWriteArguments) -> Result<GuestFileWrite, CommandError> {
    let handle = arguments.handle;
    // Looks the handle up, so that its absence is reported before anything wrong with the text, as in qemu-ga.
    files::flush(handle).map_err(|error| failed("failed to flush file", handle, error))?;
    let count = if arguments.buf_b64.length() <= WHOLE {
        write_whole(handle, &arguments.buf_b64, arguments.count)?
    } else {
        write_pieces(handle, &arguments.buf_b64, arguments.count)?
    };
    Ok(GuestFileWrite { count: count.cast_signed(), eof: false })
}

fn write_whole(handle: i64, text: &Streamed, count: Option<i64>) -> Result<u64, CommandError> {
    let (mut decoder, mut bytes) = (Decoder::default(), Vec::with_capacity(text.length().div_ceil(4) as usize * 3));
    text.pieces(|piece| decoder.decode(piece, &mut bytes)).map_err(invalid)?;
    let count = checked(count, bytes.len() as u64)?;
    write_some(handle, &mut bytes, count)?;
    Ok(count)
}

/// Reads the text twice, to check it to its end and to decode it; if the host has seen that it is base64, only once.
fn write_pieces(handle: i64, text: &Streamed, count: Option<i64>) -> Result<u64, CommandError> {
    let count = checked(count, measure(text)?)?;
    let mut left = count;
    let mut decoder = Decoder::default();
    // Before the first piece, so that its memory can be used again for the next.
    let mut bytes = Vec::with_capacity(DECODED_PIECE);
    text.pieces(|piece| {
        bytes.clear();
        decoder.decode(piece, &mut bytes).map_err(invalid)?;
        left -= write_some(handle, &mut bytes, left)?;
        Ok(())
    })?;
    Ok(count)
}

/// Writes at most `most` of the bytes, and tells how many.
fn write_some(handle: i64, bytes: &mut Vec<u8>, most: u64) -> Result<u64, CommandError> {
    bytes.truncate(usize::try_from(most).unwrap_or(usize::MAX));
    if !bytes.is_empty() {
        files::write(handle, bytes).map_err(|error| failed("failed to write to file", handle, error))?;
    }
    Ok(bytes.len() as u64)
}

/// How many bytes the text stands for.
fn measure(text: &Streamed) -> Result<u64, CommandError> {
    if let Some(bytes) = text.base64_length() {
        return Ok(bytes);
    }
    let mut measure = Measure::default();
    text.pieces(|piece| measure.add(piece)).map_err(invalid)?;
    Ok(measure.bytes())
}

fn invalid(Invalid: Invalid) -> CommandError {
    CommandError::generic("Base64 data contains invalid characters")
}

fn checked(count: Option<i64>, length: u64) -> Result<u64, CommandError> {
    let Some(count) = count else { return Ok(length) };
    match u64::try_from(count) {
        Ok(fits) if fits <= length => Ok(fits),
        _ => Err(CommandError::generic(format!("value '{count}' is invalid for argument count"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn count_is_at_most_what_the_text_holds() {
        assert_eq!(checked(None, 5), Ok(5));
        assert_eq!(checked(Some(5), 5), Ok(5));
        for wrong in [-1, 6] {
            assert_eq!(
                checked(Some(wrong), 5).unwrap_err().desc,
                format!("value '{wrong}' is invalid for argument count")
            );
        }
    }

    #[test]
    fn the_text_may_have_line_ends_but_no_other_space() {
        assert_eq!(measure(&Streamed::inline("SGVs\nbG8=\n".to_owned())), Ok(5));
        for wrong in ["SGVs bG8=", "SGVs\r\nbG8=", "SGVs_G8=", "é"] {
            let error = measure(&Streamed::inline(wrong.to_owned())).unwrap_err();
            assert_eq!(error.desc, "Base64 data contains invalid characters");
        }
    }
}
