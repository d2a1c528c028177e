//! The agent's own memory.

/// Bytes that the allocator keeps of what was freed last, and up to which it asks for memory in one growing piece: what a request
/// for some hundred kilobytes needs, the next one finds. [`give_back`] takes it from it.
#[cfg(target_env = "gnu")]
const KEPT: nix::libc::c_int = 4 << 20;

/// Has the allocator keep memory that is likely to be needed again. By itself it gives 128 KiB back as soon as they are free, and
/// every page that it gets again is a fault.
pub fn keep() {
    #[cfg(target_env = "gnu")]
    for parameter in [nix::libc::M_TRIM_THRESHOLD, nix::libc::M_MMAP_THRESHOLD] {
        // SAFETY: the call changes a number of the allocator's, under its own lock.
        #[expect(unsafe_code, reason = "mallopt(3) is a function of C")]
        let _ = unsafe { nix::libc::mallopt(parameter, KEPT) };
    }
}

/// Gives memory that is not in use back to the system. After something large that came in small pieces the allocator keeps
/// it, in case it is needed again.
pub fn give_back() {
    // Other allocators than the GNU C library's have no such call, and no such habit.
    #[cfg(target_env = "gnu")]
    {
        // SAFETY: the call may be made at any time, from any thread; it touches nothing that is in use.
        #[expect(unsafe_code, reason = "malloc_trim(3) is a function of C")]
        let _ = unsafe { nix::libc::malloc_trim(0) };
    }
}
