//! `files`: open files by number.

use super::calls::Asked;
use super::handles::UnknownHandle;
use bulkhead_border::files::{Chunk, FileError, OpenFlags, Whence};
use bulkhead_border::{Errno, Files, PIECE, Refusal};
use bulkhead_gate::{Opened, Position};
use std::io::SeekFrom;

impl Files for Asked<'_> {
    fn open(&mut self, path: String, flags: OpenFlags) -> Result<i64, Refusal<Errno>> {
        let Asked { broker, module } = self;
        if !broker.handles.has_room(module, broker.gate.policy().limits(module).handles) {
            return Err(Refusal::Failed(Errno::EMFILE));
        }
        let opened = broker.gate.open_file(module, &path, flags)?;
        let handle = broker.state.next_handle().map_err(|error| {
            tracing::error!("{error}");
            Errno::EIO
        })?;
        broker.handles.insert(module, handle, opened);
        Ok(handle)
    }

    fn close(&mut self, handle: i64) -> Result<(), Refusal<FileError>> {
        self.may_wait()?;
        let opened = self.broker.handles.remove(self.module, handle)?;
        Ok(opened.file.close().map_err(FileError::Failed)?)
    }

    fn read(&mut self, handle: i64, count: u32) -> Result<Chunk, Refusal<FileError>> {
        self.with_file(handle, |opened| read_as_permitted(opened, PIECE.min(count as usize)))
    }

    fn write(&mut self, handle: i64, data: Vec<u8>) -> Result<(), Refusal<FileError>> {
        self.may_wait()?;
        self.with_file(handle, |opened| write_as_permitted(opened, &data))
    }

    fn seek(&mut self, handle: i64, offset: i64, whence: Whence) -> Result<u64, Refusal<FileError>> {
        let to = match whence {
            Whence::Start => u64::try_from(offset).map(SeekFrom::Start).map_err(|_| Errno::EINVAL),
            Whence::Current => Ok(SeekFrom::Current(offset)),
            Whence::End => Ok(SeekFrom::End(offset)),
        };
        self.with_file(handle, |opened| opened.file.seek(to?))
    }

    fn flush(&mut self, handle: i64) -> Result<(), Refusal<FileError>> {
        self.with_file(handle, |_| Ok(()))
    }
}

impl Asked<'_> {
    /// Whether something may be done now that may wait for a disk: writing, and closing a file that has lost its name.
    fn may_wait(&self) -> Result<(), Refusal<FileError>> {
        self.broker.gate.use_open(self.module).map_err(|refusal| refusal.map(FileError::Failed))
    }

    fn with_file<T>(
        &self,
        handle: i64,
        act: impl FnOnce(&Opened) -> Result<T, Errno>,
    ) -> Result<T, Refusal<FileError>> {
        let opened = self.broker.handles.get(self.module, handle)?;
        Ok(act(opened).map_err(FileError::Failed)?)
    }
}

impl From<UnknownHandle> for Refusal<FileError> {
    fn from(UnknownHandle: UnknownHandle) -> Self {
        Refusal::Failed(FileError::UnknownHandle)
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
