//! `files`: open files by number.

use super::interface::files::{Chunk, HandleError, Host, OpenFlags, Whence};
use super::interface::types::ErrorCode;
use super::{Compartment, errno};
use bulkhead_border::files::FileError;
use bulkhead_border::{Files, PIECE, Refusal, files};

impl Host for Compartment {
    fn open(&mut self, path: String, flags: OpenFlags) -> wasmtime::Result<Result<i64, ErrorCode>> {
        self.called(path.len())?;
        Ok(self.broker().open(path, plain(flags)).map_err(errno::code))
    }

    fn close(&mut self, handle: i64) -> wasmtime::Result<Result<(), HandleError>> {
        self.called(0)?;
        Ok(self.broker().close(handle).map_err(handle_error))
    }

    fn read(&mut self, handle: i64, count: u32) -> wasmtime::Result<Result<Chunk, HandleError>> {
        self.called(PIECE.min(count as usize))?;
        let chunk = self.broker().read(handle, count);
        Ok(chunk.map(|files::Chunk { data, eof }| Chunk { data, eof }).map_err(handle_error))
    }

    fn write(&mut self, handle: i64, data: Vec<u8>) -> wasmtime::Result<Result<(), HandleError>> {
        self.called(data.len())?;
        Ok(self.broker().write(handle, data).map_err(handle_error))
    }

    fn seek(&mut self, handle: i64, offset: i64, whence: Whence) -> wasmtime::Result<Result<u64, HandleError>> {
        self.called(0)?;
        let whence = match whence {
            Whence::Start => files::Whence::Start,
            Whence::Current => files::Whence::Current,
            Whence::End => files::Whence::End,
        };
        Ok(self.broker().seek(handle, offset, whence).map_err(handle_error))
    }

    fn flush(&mut self, handle: i64) -> wasmtime::Result<Result<(), HandleError>> {
        self.called(0)?;
        Ok(self.broker().flush(handle).map_err(handle_error))
    }
}

fn handle_error(refusal: Refusal<FileError>) -> HandleError {
    match refusal {
        Refusal::Failed(FileError::UnknownHandle) => HandleError::UnknownHandle,
        Refusal::Failed(FileError::Failed(errno)) => HandleError::Failed(errno::word(errno)),
        Refusal::Denied => HandleError::Failed(ErrorCode::Denied),
    }
}

fn plain(flags: OpenFlags) -> files::OpenFlags {
    files::OpenFlags {
        read: flags.contains(OpenFlags::READ),
        write: flags.contains(OpenFlags::WRITE),
        append: flags.contains(OpenFlags::APPEND),
        create: flags.contains(OpenFlags::CREATE),
        truncate: flags.contains(OpenFlags::TRUNCATE),
    }
}
