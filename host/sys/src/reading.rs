//! Reading an open file.

use nix::errno::Errno;
use nix::libc;
use nix::sys::memfd::{MFdFlags, memfd_create};
use std::fs::File;
use std::io::{Seek, Write};
use std::os::fd::{AsFd, AsRawFd};

/// Appends up to `most` bytes of `file` to `data`, as read(2) has them, and tells how many there were; none is the end.
///
/// Into memory that nothing was written to: wiping it first took a tenth of the time that a guest-file-read takes.
pub fn read_more(file: impl AsFd, data: &mut Vec<u8>, most: usize) -> Result<usize, Errno> {
    data.reserve(most);
    let spare = &mut data.spare_capacity_mut()[..most];
    // SAFETY: the kernel writes to `spare`, which is the vector's and nobody else's now, and no more than it has.
    #[expect(unsafe_code, reason = "read(2) into memory that has no value yet")]
    let read = unsafe { libc::read(file.as_fd().as_raw_fd(), spare.as_mut_ptr().cast(), spare.len()) };
    let count = Errno::result(read)?.cast_unsigned();
    // SAFETY: so many of the bytes behind the vector's last have a value now, and there was room for `most`.
    #[expect(unsafe_code, reason = "the compiler cannot see what read(2) wrote")]
    unsafe {
        data.set_len(data.len() + count);
    }
    Ok(count)
}

/// A file of memory that has this text, to be read from its beginning.
pub(crate) fn in_memory(text: &[u8]) -> Result<File, Errno> {
    let mut file = File::from(memfd_create(c"pretended", MFdFlags::MFD_CLOEXEC)?);
    file.write_all(text).and_then(|()| file.rewind()).map_err(|_| Errno::EIO)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_behind_those_that_are_there() {
        let (reader, writer) = nix::unistd::pipe().unwrap();
        let mut data = b"as".to_vec();
        File::from(writer).write_all(b"before and after").unwrap();
        assert_eq!(read_more(&reader, &mut data, 7), Ok(7));
        assert_eq!(data, b"asbefore ");
        assert_eq!(read_more(&reader, &mut data, 0), Ok(0));
        assert_eq!(read_more(&reader, &mut data, 1000), Ok(9));
        assert_eq!(data, b"asbefore and after");
        assert_eq!(read_more(&reader, &mut data, 1000), Ok(0));
        assert_eq!(data.len(), 18);
    }

    #[test]
    fn an_error_leaves_what_is_there() {
        let mut data = b"as".to_vec();
        assert_eq!(read_more(File::open("/").unwrap(), &mut data, 7), Err(Errno::EISDIR));
        assert_eq!(data, b"as");
    }
}
