//! A file that is open, wherever it is.

use super::super::patience::{self, Kept};
use super::PATIENCE;
use crate::reading::read_more;
use nix::errno::Errno;
use nix::sys::stat::fstat;
use nix::unistd::{Whence, lseek, write};
use std::fs::File;
use std::io::SeekFrom;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

/// An open file. What its file system might let wait is done by another thread, and waited for no longer than is patient: then
/// it is `ETIMEDOUT`, and so is all that is asked of the file before that has ended. It may yet be done.
#[derive(Debug)]
pub struct OpenFile(Place);

#[derive(Debug)]
enum Place {
    /// In the agent's table. It does not wait.
    Here(File),
    /// In the other threads' table.
    There(Arc<Kept>),
}

impl From<File> for OpenFile {
    fn from(file: File) -> Self {
        OpenFile(Place::Here(file))
    }
}

impl From<Kept> for OpenFile {
    fn from(kept: Kept) -> Self {
        OpenFile(Place::There(Arc::new(kept)))
    }
}

impl OpenFile {
    /// The file, if it is in the agent's table.
    #[cfg(test)]
    pub(super) fn here(&self) -> BorrowedFd<'_> {
        match &self.0 {
            Place::Here(file) => file.as_fd(),
            Place::There(kept) => panic!("{kept:?} is in the other table"),
        }
    }

    /// Appends up to `most` bytes to `data`, as read(2) has them, and tells how many there were; none is the end.
    pub fn read_more(&self, data: &mut Vec<u8>, most: usize) -> Result<usize, Errno> {
        match &self.0 {
            Place::Here(file) => read_more(file, data, most),
            Place::There(kept) => {
                let read = ask(kept, move |file| {
                    let mut piece = Vec::new();
                    read_more(file, &mut piece, most).map(|_| piece)
                })?;
                data.extend_from_slice(&read);
                Ok(read.len())
            }
        }
    }

    /// Writes all of `data` at the file's position. Of what could not be written some may have been.
    pub fn write_all(&self, data: &[u8]) -> Result<(), Errno> {
        match &self.0 {
            Place::Here(file) => write_all(file.as_fd(), data),
            Place::There(kept) => {
                let data = data.to_vec();
                ask(kept, move |file| write_all(file, &data))
            }
        }
    }

    /// Moves the file's position, and tells where it is then.
    pub fn seek(&self, to: SeekFrom) -> Result<u64, Errno> {
        match &self.0 {
            Place::Here(file) => seek(file.as_fd(), to),
            Place::There(kept) => ask(kept, move |file| seek(file, to)),
        }
    }

    /// Closes it. What a server says to that is told: it may find only now that there is no room for what was written. If it does
    /// not answer in time, or something that was asked of the file before is still open, this is `ETIMEDOUT`; it is closed once it can
    /// be. A file of the machine's own has nothing to say.
    pub fn close(self) -> Result<(), Errno> {
        match self.0 {
            Place::Here(_) => Ok(()),
            Place::There(kept) => Arc::into_inner(kept).ok_or(Errno::ETIMEDOUT)?.close_and_hear(PATIENCE),
        }
    }

    /// The file's position, and its length; nothing if it is a thing without positions, such as a FIFO.
    pub fn position(&self) -> Result<Option<(u64, u64)>, Errno> {
        match &self.0 {
            Place::Here(file) => position(file.as_fd()),
            Place::There(kept) => ask(kept, position),
        }
    }
}

/// Asks something of a file in the other table.
fn ask<T: Send + 'static>(
    kept: &Arc<Kept>,
    act: impl FnOnce(BorrowedFd<'_>) -> Result<T, Errno> + Send + 'static,
) -> Result<T, Errno> {
    let file = Arc::clone(kept);
    patience::ask(("file", kept.number().to_ne_bytes().to_vec()), PATIENCE, move || act(file.here()))
}

fn write_all(file: BorrowedFd<'_>, mut data: &[u8]) -> Result<(), Errno> {
    while !data.is_empty() {
        match write(file, data) {
            Ok(0) => return Err(Errno::EIO),
            Ok(count) => data = &data[count..],
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

fn seek(file: BorrowedFd<'_>, to: SeekFrom) -> Result<u64, Errno> {
    let (offset, whence) = match to {
        SeekFrom::Start(offset) => (offset.cast_signed(), Whence::SeekSet),
        SeekFrom::Current(offset) => (offset, Whence::SeekCur),
        SeekFrom::End(offset) => (offset, Whence::SeekEnd),
    };
    lseek(file, offset, whence).map(i64::cast_unsigned)
}

fn position(file: BorrowedFd<'_>) -> Result<Option<(u64, u64)>, Errno> {
    let Ok(begin) = seek(file, SeekFrom::Current(0)) else { return Ok(None) };
    Ok(Some((begin, fstat(file)?.st_size.unsigned_abs())))
}
