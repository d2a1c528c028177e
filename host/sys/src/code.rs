//! Machine code in memory.

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Region;

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

    #[test]
    fn what_is_no_page_is_refused() {
        static BYTES: [u8; 2] = [0; 2];
        let odd = (&raw const BYTES[0]).map_addr(|address| address | 1);
        assert_eq!(make_executable(odd, 1), Err(Errno::EINVAL));
    }
}
