//! A page of memory that outlives the process: a file of a file system in memory, mapped. To write to it costs what writing to memory
//! costs; no disk has anything to do with it, so that it can be written while file systems are frozen; and when the process is
//! killed, the next one finds what stood in it.

use nix::dir::Dir;
use nix::errno::Errno;
use nix::fcntl::{FallocateFlags, Flock, FlockArg, OFlag, fallocate, openat};
use nix::libc::c_void;
use nix::sys::mman::{MapFlags, ProtFlags, mmap, munmap};
use nix::sys::stat::{Mode, SFlag, fstat};
use nix::sys::statfs::{TMPFS_MAGIC, fstatfs};
use nix::unistd::Uid;
use std::ffi::OsStr;
use std::fs::File;
use std::num::NonZeroUsize;
use std::path::Path;
use std::ptr::NonNull;
use std::sync::atomic::{Ordering, compiler_fence};

/// The page.
#[derive(Debug)]
pub struct KeptPage {
    base: NonNull<c_void>,
    /// Held as long as it is mapped: two processes would write over each other.
    _file: Flock<File>,
}

impl KeptPage {
    /// Its bytes.
    pub const SIZE: usize = 4096;

    /// The page in the file `name` of `folder`, made if it is not there; then it is zero. `ENOTSUP` if the folder is not in memory (tmpfs),
    /// `EWOULDBLOCK` if another process has it, `EPERM` if the file is not this user's alone.
    pub fn open(folder: &Path, name: &OsStr) -> Result<Self, Errno> {
        let folder = Dir::open(folder, OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC, Mode::empty())?;
        if fstatfs(&folder)?.filesystem_type() != TMPFS_MAGIC {
            return Err(Errno::ENOTSUP);
        }
        let flags = OFlag::O_RDWR | OFlag::O_CREAT | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
        let file = File::from(openat(&folder, name, flags, Mode::S_IRUSR | Mode::S_IWUSR)?);
        let found = fstat(&file)?;
        let is_file = SFlag::from_bits_truncate(found.st_mode) & SFlag::S_IFMT == SFlag::S_IFREG;
        if !is_file || found.st_uid != Uid::effective().as_raw() || found.st_nlink != 1 || found.st_mode & 0o077 != 0 {
            return Err(Errno::EPERM);
        }
        let file = Flock::lock(file, FlockArg::LockExclusiveNonblock).map_err(|(_, errno)| errno)?;
        // Now, not when it is first written to: a file system that is full would end the process then.
        fallocate(&*file, FallocateFlags::empty(), 0, Self::SIZE as i64)?;
        let length = NonZeroUsize::new(Self::SIZE).ok_or(Errno::EINVAL)?;
        // SAFETY: the kernel takes addresses that nothing else has. The file is locked, and nobody but this user can open it; it is as
        // long as the page, and is not shortened by anybody who has not the right to end this process too.
        #[expect(unsafe_code, reason = "mmap(2)")]
        let base = unsafe {
            mmap(None, length, ProtFlags::PROT_READ | ProtFlags::PROT_WRITE, MapFlags::MAP_SHARED, &*file, 0)?
        };
        Ok(KeptPage { base, _file: file })
    }

    /// What stands in it.
    pub fn bytes(&self) -> [u8; Self::SIZE] {
        // SAFETY: the page is mapped as long as this lives, any bytes are right, and only this thread writes to it.
        #[expect(unsafe_code, reason = "memory that Rust knows nothing of")]
        unsafe {
            self.base.cast::<[u8; Self::SIZE]>().read_volatile()
        }
    }

    /// Writes `bytes` from the byte `at` on; what goes beyond the page is left out. All of it stands there before what is written next.
    pub fn write(&mut self, at: usize, bytes: &[u8]) {
        let length = bytes.len().min(Self::SIZE.saturating_sub(at));
        compiler_fence(Ordering::SeqCst);
        // SAFETY: so many bytes are in the page from there on. It is mapped as long as this lives, and borrowed to be changed.
        #[expect(unsafe_code, reason = "memory that Rust knows nothing of")]
        unsafe {
            self.base
                .cast::<u8>()
                .add(at.min(Self::SIZE))
                .copy_from_nonoverlapping(NonNull::from(bytes).cast(), length);
        }
        compiler_fence(Ordering::SeqCst);
    }
}

impl Drop for KeptPage {
    fn drop(&mut self) {
        // SAFETY: it was mapped by `open`, and nobody has a reference into it: what is read is copied.
        #[expect(unsafe_code, reason = "munmap(2)")]
        let _ = unsafe { munmap(self.base, Self::SIZE) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    const MEMORY: &str = "/dev/shm";

    struct Name(String);

    impl Name {
        fn new(what: &str) -> Self {
            Name(format!("bulkhead-kept-{what}-{}", std::process::id()))
        }

        fn open(&self) -> Result<KeptPage, Errno> {
            KeptPage::open(Path::new(MEMORY), OsStr::new(&self.0))
        }

        fn path(&self) -> std::path::PathBuf {
            Path::new(MEMORY).join(&self.0)
        }
    }

    impl Drop for Name {
        fn drop(&mut self) {
            let _ = fs::remove_file(self.path());
        }
    }

    #[test]
    fn what_is_written_is_there_for_the_next_one() {
        let name = Name::new("next");
        let mut page = name.open().unwrap();
        assert_eq!(page.bytes(), [0; KeptPage::SIZE]);
        page.write(10, b"call");
        page.write(KeptPage::SIZE - 2, b"beyond");
        page.write(KeptPage::SIZE + 2, b"beyond");
        assert_eq!(name.open().unwrap_err(), Errno::EWOULDBLOCK, "one process has it");
        drop(page);
        let bytes = name.open().unwrap().bytes();
        assert_eq!((&bytes[9..15], &bytes[KeptPage::SIZE - 3..]), (&b"\0call\0"[..], &b"\0be"[..]));
    }

    #[test]
    fn it_is_in_memory_or_nowhere() {
        // /proc is neither a disk nor memory that can be had.
        assert_eq!(KeptPage::open(Path::new("/proc"), OsStr::new("x")).unwrap_err(), Errno::ENOTSUP);
        assert_eq!(KeptPage::open(Path::new("/no/such/folder"), OsStr::new("x")).unwrap_err(), Errno::ENOENT);
    }

    #[test]
    fn what_others_could_have_put_there_is_not_taken() {
        let (link, open, twice) = (Name::new("link"), Name::new("open"), Name::new("twice"));
        symlink("/etc/passwd", link.path()).unwrap();
        assert_eq!(link.open().unwrap_err(), Errno::ELOOP);
        fs::write(open.path(), "").unwrap();
        fs::set_permissions(open.path(), fs::Permissions::from_mode(0o666)).unwrap();
        assert_eq!(open.open().unwrap_err(), Errno::EPERM);
        drop(twice.open().unwrap());
        let other = Name::new("other");
        fs::hard_link(twice.path(), other.path()).unwrap();
        assert_eq!(twice.open().unwrap_err(), Errno::EPERM);
    }
}
