//! The allocator of a module: it begins with the memory that the compartment has from its start.
//!
//! A compartment lives for one request, and few requests need more than the bytes behind the module's data. Handing these out
//! one after the other costs a few instructions; asking the engine for more memory is a system call for the host, and
//! another to give it back. What does not fit goes to Rust's usual allocator, which asks.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Bytes in a row, of which the first are handed out. A block is taken back only if it is the last one: of what is freed in
/// another order nothing is used again, and the compartment is soon gone.
#[derive(Debug)]
pub struct Heap {
    /// The address of the first byte that is free; 0 as long as nobody has looked where the memory begins.
    next: AtomicUsize,
    /// The address behind the last one.
    end: AtomicUsize,
}

impl Heap {
    /// Over the memory that nothing else uses. Let it be the only one: [`crate::module!`] sees to it.
    pub const fn new() -> Self {
        Heap { next: AtomicUsize::new(0), end: AtomicUsize::new(0) }
    }

    fn is_ours(&self, block: *mut u8) -> bool {
        block.addr() < self.end.load(Relaxed)
    }

    /// Sets `size` bytes aside; their address, if there are so many.
    fn take(&self, size: usize, align: usize) -> Option<usize> {
        if self.next.load(Relaxed) == 0 {
            let (next, end) = unused();
            self.next.store(next, Relaxed);
            self.end.store(end, Relaxed);
        }
        let begin = self.next.load(Relaxed).checked_next_multiple_of(align)?;
        let end = begin.checked_add(size).filter(|end| *end <= self.end.load(Relaxed))?;
        self.next.store(end, Relaxed);
        Some(begin)
    }

    fn is_last(&self, block: *mut u8, size: usize) -> bool {
        block.addr() + size == self.next.load(Relaxed)
    }
}

impl Default for Heap {
    fn default() -> Self {
        Self::new()
    }
}

/// Where the memory begins and ends that a module has from its start and that neither its stack nor its data use.
#[cfg(target_family = "wasm")]
fn unused() -> (usize, usize) {
    // SAFETY: the linker defines it: an address behind which stands nothing of the module's.
    #[expect(unsafe_code, reason = "a name of the linker's")]
    unsafe extern "C" {
        static __heap_base: u8;
    }
    let begin = (&raw const __heap_base).addr();
    (begin, core::arch::wasm32::memory_size(0) << 16)
}

/// Elsewhere, in tests, everything is Rust's usual allocator's.
#[cfg(not(target_family = "wasm"))]
fn unused() -> (usize, usize) {
    (1, 0)
}

// SAFETY: blocks do not overlap: each begins where nothing was handed out before, or at the end of the last one that was
// taken back; and they lie where neither the module's data nor the other allocator's memory is. A module has one thread.
#[expect(unsafe_code, reason = "an allocator")]
unsafe impl GlobalAlloc for Heap {
    // SAFETY: as the trait has it.
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        match self.take(layout.size(), layout.align()) {
            Some(address) => core::ptr::with_exposed_provenance_mut(address),
            // SAFETY: the caller's promise.
            None => unsafe { System.alloc(layout) },
        }
    }

    // SAFETY: as the trait has it.
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if !self.is_ours(block) {
            // SAFETY: the caller's promise; what is not ours came from there.
            unsafe { System.dealloc(block, layout) }
        } else if self.is_last(block, layout.size()) {
            self.next.store(block.addr(), Relaxed);
        }
    }

    // SAFETY: as the trait has it.
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if !self.is_ours(block) {
            // SAFETY: the caller's promise; what is not ours came from there.
            return unsafe { System.realloc(block, layout, size) };
        }
        if self.is_last(block, layout.size()) {
            let end = block.addr().checked_add(size).filter(|end| *end <= self.end.load(Relaxed));
            if let Some(end) = end {
                self.next.store(end, Relaxed);
                return block;
            }
        }
        // SAFETY: the caller promises that the size does not overflow, and the alignment is the old one.
        let moved = unsafe { self.alloc(Layout::from_size_align_unchecked(size, layout.align())) };
        if !moved.is_null() {
            // SAFETY: both blocks have so many bytes, and they are two.
            unsafe { core::ptr::copy_nonoverlapping(block, moved, size.min(layout.size())) };
            // SAFETY: the caller's block, which it gave.
            unsafe { self.dealloc(block, layout) };
        }
        moved
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A heap over `memory`, and a layout of so many bytes.
    fn over(memory: &mut [u64]) -> Heap {
        let range = memory.as_mut_ptr_range();
        Heap { next: range.start.expose_provenance().into(), end: range.end.expose_provenance().into() }
    }

    fn bytes(size: usize) -> Layout {
        Layout::from_size_align(size, 8).unwrap()
    }

    #[test]
    fn the_last_block_grows_where_it_is_and_is_taken_back() {
        let mut memory = [0; 32];
        let begin = memory.as_ptr().addr();
        let heap = over(&mut memory);
        // SAFETY: each block is given back with the size that it has then, and all lie in `memory`.
        #[expect(unsafe_code, reason = "what a module's code does with its allocator")]
        unsafe {
            let first = heap.alloc(bytes(16));
            let second = heap.alloc(bytes(8));
            assert_eq!((first.addr(), second.addr()), (begin, begin + 16));
            assert_eq!(heap.realloc(second, bytes(8), 32), second, "it is the last");
            first.write_bytes(7, 16);
            let moved = heap.realloc(first, bytes(16), 64);
            assert_eq!(moved.addr(), begin + 48, "behind the second");
            assert_eq!(moved.add(15).read(), 7, "with what was in it");
            heap.dealloc(moved, bytes(64));
            assert_eq!(heap.alloc(bytes(8)), moved, "taken back");
            heap.dealloc(second, bytes(32));
            assert_eq!(heap.alloc(bytes(8)).addr(), begin + 56, "not the last: not taken back");
        }
    }

    #[test]
    fn what_does_not_fit_is_another_allocators() {
        let mut memory = [0; 4];
        let heap = over(&mut memory);
        assert!(heap.take(33, 8).is_none());
        assert!(heap.take(32, 8).is_some());
        assert!(heap.take(1, 1).is_none());
        assert!(Heap::new().take(1, 1).is_none(), "natively there is nothing to begin with");
    }
}
