//! Machine code in memory.

use crate::Region;
use nix::errno::Errno;
use nix::sys::mman::{ProtFlags, mprotect};
use std::ptr::NonNull;

/// Lets the processor run the `length` bytes from `begin` on, and nobody write to them: who does is ended by the kernel. Both are
/// multiples of the page size. `EINVAL` if they are not, `ENOMEM` if something there is not mapped, `EACCES` where the system
/// lets no memory become code.
pub fn make_executable(begin: *const u8, length: usize) -> Result<(), Errno> {
    let begin = NonNull::new(begin.cast_mut().cast()).ok_or(Errno::EINVAL)?;
    // SAFETY: the bytes stay what they are, and can be read as before. A write to them does not happen: the kernel ends the process.
    #[expect(unsafe_code, reason = "mprotect(2)")]
    unsafe {
        mprotect(begin, length, ProtFlags::PROT_READ | ProtFlags::PROT_EXEC)
    }
}

/// Bytes that are tried: a multiple of every page size.
const TRIED: usize = 64 << 10;

/// Whether memory of this process can become machine code, tried with some of it: `EACCES` or `EPERM` if not, as under
/// MemoryDenyWriteExecute= of systemd (PR_SET_MDWE(2const), or a filter of system calls) and under security modules.
pub fn may_make_executable() -> Result<(), Errno> {
    let mut region = Region::reserve(TRIED)?;
    region.set_usable(TRIED)?;
    make_executable(region.base(), TRIED)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn what_became_code_can_be_read_and_not_written() {
        let mut region = Region::reserve(64 << 10).unwrap();
        region.set_usable(64 << 10).unwrap();
        make_executable(region.base(), 64 << 10).unwrap();
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        let begin = format!("{:x}-", region.base().addr());
        let line = maps.lines().find(|line| line.starts_with(&begin)).unwrap();
        assert_eq!(line.split(' ').nth(1), Some("r-xp"));
    }

    /// Forbidden is it for good, so the test starts itself again for that.
    #[test]
    fn that_it_is_forbidden_is_found_out() {
        const FORBIDDEN: &str = "BULKHEAD_TEST_MDWE";
        if std::env::var_os(FORBIDDEN).is_none() {
            assert_eq!(may_make_executable(), Ok(()));
            let myself = std::env::current_exe().unwrap();
            let again = ["--exact", "code::tests::that_it_is_forbidden_is_found_out"];
            let status = Command::new(myself).args(again).env(FORBIDDEN, "1").status().unwrap();
            assert!(status.success());
            return;
        }
        // SAFETY: the call takes numbers alone; from here on this process makes no memory executable but to be refused.
        #[expect(unsafe_code, reason = "prctl(2)")]
        let forbidden =
            unsafe { nix::libc::prctl(nix::libc::PR_SET_MDWE, nix::libc::PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0) };
        if forbidden == 0 {
            assert_eq!(may_make_executable(), Err(Errno::EACCES));
        } else {
            println!("left out: this kernel has no PR_SET_MDWE ({})", Errno::last());
        }
    }

    #[test]
    fn what_is_no_page_is_refused() {
        static BYTES: [u8; 2] = [0; 2];
        let odd = (&raw const BYTES[0]).map_addr(|address| address | 1);
        assert_eq!(make_executable(odd, 1), Err(Errno::EINVAL));
    }
}
