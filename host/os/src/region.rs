//! Stretches of address space whose beginning can be used and whose rest cannot: what linear memories of compartments are made
//! of.

use nix::errno::Errno;
use nix::libc::c_void;
use nix::sys::mman::{MapFlags, MmapAdvise, ProtFlags, madvise, mmap_anonymous, mprotect, munmap};
use std::num::NonZeroUsize;
use std::ptr::NonNull;

/// What has been wiped. A small request touches a tenth of its memory, and looking at the rest takes less time than writing to it.
static ZEROS: [u8; 4096] = [0; 4096];

/// Address space of this process. Nothing of it is used until [`Region::set_usable`]; touching the rest is a fault.
#[derive(Debug)]
pub struct Region {
    base: NonNull<c_void>,
    reserved: usize,
    usable: usize,
}

// SAFETY: a region is address space that nothing else knows of, and it can be unmapped from any thread.
#[expect(unsafe_code, reason = "the compiler cannot see who owns what a pointer points to")]
unsafe impl Send for Region {}

// SAFETY: by a shared region nothing can be read or changed but its own numbers.
#[expect(unsafe_code, reason = "the compiler cannot see who owns what a pointer points to")]
unsafe impl Sync for Region {}

impl Region {
    /// Sets `bytes` of address space aside, a multiple of the page size. It costs no memory. `ENOMEM` if there is not so much.
    pub fn reserve(bytes: usize) -> Result<Self, Errno> {
        let length = NonZeroUsize::new(bytes).ok_or(Errno::EINVAL)?;
        // SAFETY: without MAP_FIXED the kernel takes addresses that nothing else has.
        #[expect(unsafe_code, reason = "mmap(2)")]
        let base = unsafe { mmap_anonymous(None, length, ProtFlags::PROT_NONE, flags())? };
        Ok(Region { base, reserved: bytes, usable: 0 })
    }

    /// Where it begins.
    pub fn base(&self) -> *mut u8 {
        self.base.as_ptr().cast()
    }

    /// Bytes that can be used, from its beginning. Those that were never used are zero.
    pub fn usable(&self) -> usize {
        self.usable
    }

    /// Bytes of address space.
    pub fn reserved(&self) -> usize {
        self.reserved
    }

    /// Makes so many bytes usable, a multiple of the page size. `ENOMEM` if the region has not so many or the system has no
    /// memory. What is no longer usable is given back, and zero if it becomes usable again.
    pub fn set_usable(&mut self, bytes: usize) -> Result<(), Errno> {
        if bytes > self.reserved {
            return Err(Errno::ENOMEM);
        }
        if bytes < self.usable {
            self.give_back(bytes)?;
        } else if bytes > self.usable {
            self.protect(self.usable, bytes, ProtFlags::PROT_READ | ProtFlags::PROT_WRITE)?;
        }
        self.usable = bytes;
        Ok(())
    }

    /// Makes everything zero. No more than `kept` bytes stay usable, and in memory.
    pub fn wipe(&mut self, kept: usize) -> Result<(), Errno> {
        if self.usable > kept {
            self.set_usable(kept)?;
        }
        // SAFETY: these bytes are mapped, can be written, and nobody has a reference to them: their user has given the
        // region back to call this.
        #[expect(unsafe_code, reason = "memory that Rust knows nothing of")]
        let bytes = unsafe { std::slice::from_raw_parts_mut(self.base(), self.usable) };
        for block in bytes.chunks_mut(ZEROS.len()) {
            if *block != ZEROS[..block.len()] {
                block.fill(0);
            }
        }
        Ok(())
    }

    fn give_back(&self, from: usize) -> Result<(), Errno> {
        let (begin, length) = (self.at(from), self.usable - from);
        // SAFETY: these bytes are this region's, and whoever makes them unusable does not use them.
        #[expect(unsafe_code, reason = "madvise(2)")]
        unsafe {
            madvise(begin, length, MmapAdvise::MADV_DONTNEED)?;
        }
        self.protect(from, self.usable, ProtFlags::PROT_NONE)
    }

    fn protect(&self, from: usize, to: usize, protection: ProtFlags) -> Result<(), Errno> {
        // SAFETY: these bytes are this region's; what becomes unusable is not used any more.
        #[expect(unsafe_code, reason = "mprotect(2)")]
        unsafe {
            mprotect(self.at(from), to - from, protection)
        }
    }

    fn at(&self, offset: usize) -> NonNull<c_void> {
        // SAFETY: every caller stays within what was reserved.
        #[expect(unsafe_code, reason = "an address within a mapping")]
        unsafe {
            self.base.byte_add(offset)
        }
    }
}

fn flags() -> MapFlags {
    MapFlags::MAP_PRIVATE | MapFlags::MAP_NORESERVE
}

impl Drop for Region {
    fn drop(&mut self) {
        // SAFETY: the mapping is this region's, and with it the last that knows of it goes.
        #[expect(unsafe_code, reason = "munmap(2)")]
        let _ = unsafe { munmap(self.base, self.reserved) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: usize = 64 << 10;

    fn bytes(region: &mut Region) -> &mut [u8] {
        // SAFETY: they are mapped, and the region is borrowed as long as they are.
        #[expect(unsafe_code, reason = "what a compartment would do")]
        unsafe {
            std::slice::from_raw_parts_mut(region.base(), region.usable())
        }
    }

    /// Whether the kernel lets the byte at `offset` be read: it looks itself and tells, where a program would be ended.
    fn is_readable(region: &Region, offset: usize) -> bool {
        let (_reader, writer) = nix::unistd::pipe().unwrap();
        // SAFETY: the kernel checks the address; Rust reads nothing.
        #[expect(unsafe_code, reason = "write(2) of memory that cannot be read")]
        let written =
            unsafe { nix::libc::write(std::os::fd::AsRawFd::as_raw_fd(&writer), region.at(offset).as_ptr(), 1) };
        written == 1
    }

    #[test]
    fn only_what_is_usable_can_be_touched() {
        let mut region = Region::reserve(64 * PAGE).unwrap();
        assert!(!is_readable(&region, 0));
        region.set_usable(2 * PAGE).unwrap();
        assert!(is_readable(&region, 2 * PAGE - 1) && !is_readable(&region, 2 * PAGE));
        region.set_usable(PAGE).unwrap();
        assert!(is_readable(&region, PAGE - 1) && !is_readable(&region, PAGE));
        assert_eq!(region.set_usable(65 * PAGE), Err(Errno::ENOMEM));
    }

    #[test]
    fn nothing_is_left_after_a_wipe() {
        let mut region = Region::reserve(64 * PAGE).unwrap();
        region.set_usable(8 * PAGE).unwrap();
        bytes(&mut region).fill(7);
        region.wipe(4 * PAGE).unwrap();
        assert_eq!(region.usable(), 4 * PAGE);
        assert!(!is_readable(&region, 4 * PAGE));
        region.set_usable(8 * PAGE).unwrap();
        assert!(bytes(&mut region).iter().all(|byte| *byte == 0));
    }

    #[test]
    fn what_becomes_unusable_is_forgotten() {
        let mut region = Region::reserve(4 * PAGE).unwrap();
        region.set_usable(2 * PAGE).unwrap();
        bytes(&mut region).fill(7);
        region.set_usable(PAGE).unwrap();
        region.set_usable(2 * PAGE).unwrap();
        assert!(bytes(&mut region)[PAGE..].iter().all(|byte| *byte == 0));
    }
}
