//! The agent's own memory.

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
