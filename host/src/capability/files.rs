//! `files`: open files by number.

use super::interface::files::{Chunk, HandleError, Host, OpenFlags, Whence};
use super::interface::types::ErrorCode;
use super::{Compartment, errno};
use crate::bounds::limits;
use crate::handles::UnknownHandle;
use bulkhead_gate::{Errno, Opened, Position};
use std::io::SeekFrom;

impl Host for Compartment {
    fn open(&mut self, path: String, flags: OpenFlags) -> wasmtime::Result<Result<i64, ErrorCode>> {
        self.called(path.len())?;
        let (module, flags) = (self.module, plain(flags));
        let mut state = self.state();
        if !state.handles.has_room(module, state.gate.policy().limits(module).handles) {
            return Ok(Err(ErrorCode::TooManyOpenFiles));
        }
        let opened = match state.gate.open_file(module, &path, flags) {
            Ok(opened) => opened,
            Err(error) => return Ok(Err(errno::code(error))),
        };
        match state.next_handle() {
            Ok(handle) => {
                state.handles.insert(module, handle, opened);
                Ok(Ok(handle))
            }
            Err(error) => {
                tracing::error!("{error}");
                Ok(Err(ErrorCode::Io))
            }
        }
    }

    fn close(&mut self, handle: i64) -> wasmtime::Result<Result<(), HandleError>> {
        self.called(0)?;
        if let Err(error) = self.may_wait() {
            return Ok(Err(error));
        }
        let removed = self.state().handles.remove(self.module, handle);
        Ok(match removed {
            Ok(opened) => opened.file.close().map_err(|errno| HandleError::Failed(errno::word(errno))),
            Err(unknown) => Err(unknown.into()),
        })
    }

    fn read(&mut self, handle: i64, count: u32) -> wasmtime::Result<Result<Chunk, HandleError>> {
        let wanted = (count as usize).min(limits::PIECE);
        self.called(wanted)?;
        self.with_file(handle, |opened| read_as_permitted(opened, wanted))
    }

    fn write(&mut self, handle: i64, data: Vec<u8>) -> wasmtime::Result<Result<(), HandleError>> {
        self.called(data.len())?;
        if let Err(error) = self.may_wait() {
            return Ok(Err(error));
        }
        self.with_file(handle, |opened| write_as_permitted(opened, &data))
    }

    fn seek(&mut self, handle: i64, offset: i64, whence: Whence) -> wasmtime::Result<Result<u64, HandleError>> {
        self.called(0)?;
        let to = match whence {
            Whence::Start => u64::try_from(offset).map(SeekFrom::Start),
            Whence::Current => Ok(SeekFrom::Current(offset)),
            Whence::End => Ok(SeekFrom::End(offset)),
        };
        self.with_file(handle, |opened| match to {
            Ok(to) => opened.file.seek(to),
            Err(_) => Err(Errno::EINVAL),
        })
    }

    fn flush(&mut self, handle: i64) -> wasmtime::Result<Result<(), HandleError>> {
        self.called(0)?;
        self.with_file(handle, |_| Ok(()))
    }
}

impl Compartment {
    /// Whether something may be done now that may wait for a disk: writing, and closing a file that has lost its name.
    fn may_wait(&self) -> Result<(), HandleError> {
        self.state().gate.use_open(self.module).map_err(|error| HandleError::Failed(errno::code(error)))
    }

    fn with_file<T>(
        &mut self,
        handle: i64,
        act: impl FnOnce(&Opened) -> Result<T, Errno>,
    ) -> wasmtime::Result<Result<T, HandleError>> {
        let state = self.state();
        Ok(match state.handles.get(self.module, handle) {
            Ok(opened) => act(opened).map_err(|errno| HandleError::Failed(errno::word(errno))),
            Err(unknown) => Err(unknown.into()),
        })
    }
}

impl From<UnknownHandle> for HandleError {
    fn from(UnknownHandle: UnknownHandle) -> Self {
        HandleError::UnknownHandle
    }
}

fn read_as_permitted(opened: &Opened, wanted: usize) -> Result<Chunk, Errno> {
    let caps = &opened.caps;
    let at = position(opened)?;
    let chunk = match caps.readable(at, wanted)? {
        0 if wanted > 0 => Chunk { data: Vec::new(), eof: true },
        wanted => read_up_to(opened, wanted)?,
    };
    caps.moved(chunk.data.len());
    Ok(chunk)
}

fn write_as_permitted(opened: &Opened, data: &[u8]) -> Result<(), Errno> {
    let caps = &opened.caps;
    let at = position(opened)?.map(|at| match caps.appends() {
        true => Position { begin: at.length, ..at },
        false => at,
    });
    caps.writable(at, data.len())?;
    caps.moved(data.len());
    opened.file.write_all(data)
}

/// Where the file is read and written; nothing if nobody needs to know, or if it is a thing without positions.
fn position(Opened { file, caps }: &Opened) -> Result<Option<Position>, Errno> {
    if caps.size().is_none() {
        return Ok(None);
    }
    Ok(file.position()?.map(|(begin, length)| Position { begin, length }))
}

/// Reads until there are `wanted` bytes, the file ends, or the system says no. What was read before it said no is
/// given; the module learns of the refusal with its next call.
fn read_up_to(opened: &Opened, wanted: usize) -> Result<Chunk, Errno> {
    let mut data = Vec::with_capacity(wanted);
    while data.len() < wanted {
        let left = wanted - data.len();
        match opened.file.read_more(&mut data, left) {
            Ok(0) => return Ok(Chunk { data, eof: true }),
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) if data.is_empty() => return Err(errno),
            Err(_) => break,
        }
    }
    Ok(Chunk { data, eof: false })
}

fn plain(flags: OpenFlags) -> bulkhead_gate::OpenFlags {
    bulkhead_gate::OpenFlags {
        read: flags.contains(OpenFlags::READ),
        write: flags.contains(OpenFlags::WRITE),
        append: flags.contains(OpenFlags::APPEND),
        create: flags.contains(OpenFlags::CREATE),
        truncate: flags.contains(OpenFlags::TRUNCATE),
    }
}
