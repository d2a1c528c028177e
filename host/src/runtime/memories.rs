//! Linear memories that are used again: mapping one and giving it back takes longer than all that a small request does.
//!
//! Each compartment has a memory that nobody else has, zero from its first byte to its last, and behind it address space that
//! cannot be touched: wiped ones differ in nothing from new ones.

use bulkhead_os::Region;
use std::sync::{Arc, Mutex, PoisonError};
use wasmtime::{LinearMemory, MemoryCreator, MemoryType};

/// Memories that wait for their next compartment. One request runs and two instances are ready at the most, so no more than
/// three ever come back; it bounds what is kept of a module with many memories.
const WAITING: usize = 3;

/// Bytes of a memory that stay with the agent while it waits; what is more goes back to the system. A built-in module has
/// 192 KiB, unless it grows. More would be wiped after every request that once needed it.
const KEPT: usize = 256 * 1024;

/// Makes memories.
#[derive(Default)]
pub(super) struct Memories(Arc<Waiting>);

#[derive(Default)]
struct Waiting(Mutex<Vec<Region>>);

/// One compartment's memory.
struct Memory {
    /// Always there until it is dropped.
    region: Option<Region>,
    guard: usize,
    waiting: Arc<Waiting>,
}

impl Waiting {
    /// One with so much address space, if possible one with as many bytes usable.
    fn take(&self, usable: usize, reserved: usize) -> Option<Region> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = |region: &Region| region.reserved() == reserved;
        let best = waiting.iter().position(|region| fits(region) && region.usable() == usable);
        let found = best.or_else(|| waiting.iter().position(fits))?;
        Some(waiting.swap_remove(found))
    }

    /// Takes one back.
    fn give(&self, mut region: Region) {
        if region.wipe(KEPT).is_ok() {
            let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if waiting.len() < WAITING {
                waiting.push(region);
            }
        }
    }
}

// SAFETY: what `LinearMemory` promises holds for every `Memory`: see there.
#[expect(unsafe_code, reason = "the engine trusts what makes its memories")]
unsafe impl MemoryCreator for Memories {
    fn new_memory(
        &self,
        _: MemoryType,
        minimum: usize,
        _: Option<usize>,
        reserved: Option<usize>,
        guard: usize,
    ) -> Result<Box<dyn LinearMemory>, String> {
        let reserved = reserved.unwrap_or_default().max(minimum) + guard;
        let new = || Region::reserve(reserved);
        let region = self.0.take(minimum, reserved).map_or_else(new, Ok).and_then(|mut region| {
            region.set_usable(minimum)?;
            Ok(region)
        });
        let region = region.map_err(|errno| format!("no memory of {minimum} bytes can be had: {errno}"))?;
        Ok(Box::new(Memory { region: Some(region), guard, waiting: Arc::clone(&self.0) }))
    }
}

impl Memory {
    fn region(&self) -> &Region {
        self.region.as_ref().expect("it goes with the memory")
    }
}

// SAFETY: the bytes up to `byte_size` are mapped, page aligned and this memory's alone; they were never used, or were wiped. Those
// behind are reserved, cannot be touched, and are at least the guard's. The base never moves.
#[expect(unsafe_code, reason = "the engine trusts what it is told of a memory")]
unsafe impl LinearMemory for Memory {
    fn byte_size(&self) -> usize {
        self.region().usable()
    }

    fn byte_capacity(&self) -> usize {
        self.region().reserved() - self.guard
    }

    fn grow_to(&mut self, size: usize) -> wasmtime::Result<()> {
        if size > self.byte_capacity() {
            return Err(wasmtime::Error::msg("no module can have so much memory"));
        }
        let region = self.region.as_mut().expect("it goes with the memory");
        Ok(region.set_usable(size)?)
    }

    fn as_ptr(&self) -> *mut u8 {
        self.region().base()
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        if let Some(region) = self.region.take() {
            self.waiting.give(region);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: usize = 64 << 10;

    fn memory(memories: &Memories, pages: u32) -> Box<dyn LinearMemory> {
        let (kind, minimum) = (MemoryType::new(pages, None), pages as usize * PAGE);
        memories.new_memory(kind, minimum, None, Some(1024 * PAGE), PAGE).unwrap()
    }

    fn bytes(memory: &mut dyn LinearMemory) -> &mut [u8] {
        // SAFETY: they are the memory's, which is borrowed as long as they are.
        #[expect(unsafe_code, reason = "what a compartment would do")]
        unsafe {
            std::slice::from_raw_parts_mut(memory.as_ptr(), memory.byte_size())
        }
    }

    #[test]
    fn one_that_is_used_again_is_like_a_new_one() {
        let memories = Memories::default();
        let mut first = memory(&memories, 2);
        let place = first.as_ptr();
        first.grow_to(8 * PAGE).unwrap();
        bytes(&mut *first).fill(7);
        drop(first);
        let mut second = memory(&memories, 3);
        assert_eq!(second.as_ptr(), place, "it is used again");
        assert_eq!(second.byte_size(), 3 * PAGE);
        second.grow_to(9 * PAGE).unwrap();
        assert!(bytes(&mut *second).iter().all(|byte| *byte == 0));
    }

    #[test]
    fn two_have_nothing_in_common_and_none_grows_beyond_its_place() {
        let memories = Memories::default();
        let (mut one, mut other) = (memory(&memories, 1), memory(&memories, 1));
        bytes(&mut *one).fill(7);
        assert!(bytes(&mut *other).iter().all(|byte| *byte == 0));
        assert_eq!(one.byte_capacity(), 1024 * PAGE);
        assert!(one.grow_to(1025 * PAGE).is_err());
    }
}
