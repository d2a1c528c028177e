//! The agent's own memory.

/// Bytes of free memory that the allocator keeps: what 48 MiB of a file, the most that a client may read at once, were read into, the next
/// 48 find. Of more it keeps nothing. [`give_back`] takes it from it: beside a large request it would be too much.
#[cfg(target_env = "gnu")]
const KEPT: nix::libc::c_int = 64 << 20;

/// Bytes from which on something has memory of its own, which goes back when it is freed: the text of a large request.
#[cfg(target_env = "gnu")]
const ON_ITS_OWN: nix::libc::c_int = 4 << 20;

/// Threads share one heap: of the others only what is free between things in use can be given back. They seldom need it at the same
/// time.
#[cfg(target_env = "gnu")]
const HEAPS: nix::libc::c_int = 1;

/// Has the allocator keep memory that is likely to be needed again. By itself it gives 128 KiB back as soon as they are free, and
/// every page that it gets again is a fault. Call it before there are threads.
pub fn keep() {
    #[cfg(target_env = "gnu")]
    for (parameter, value) in [
        (nix::libc::M_ARENA_MAX, HEAPS),
        (nix::libc::M_TRIM_THRESHOLD, KEPT),
        (nix::libc::M_MMAP_THRESHOLD, ON_ITS_OWN),
    ] {
        // SAFETY: the call changes a number of the allocator's, under its own lock.
        #[expect(unsafe_code, reason = "mallopt(3) is a function of C")]
        let _ = unsafe { nix::libc::mallopt(parameter, value) };
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
