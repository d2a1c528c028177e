//! The engine's configuration. Whatever changes here changes the machine code, and then [`crate::IDENTITY`] must change too.

use crate::{MAX_WASM_STACK, features};
use wasmtime::Config;

/// Address space set aside for one linear memory, in bytes. The engine's default is 4 GiB, which fails under
/// `RLIMIT_AS` and `vm.overcommit_memory=2`. 64 MiB is four times the largest memory a module may have, so an
/// honest module never moves its memory; the price is an explicit bounds check per access.
const MEMORY_RESERVATION: u64 = 64 * 1024 * 1024;

/// Unmapped bytes behind each linear memory. Bounds are checked explicitly, so the guard only has to catch the
/// engine's own folding of small constant offsets.
const MEMORY_GUARD: u64 = 64 * 1024;

/// The configuration shared by the compiler and the agent.
pub fn config() -> Config {
    let mut config = Config::new();
    features::choose(&mut config);
    // A module that spins is stopped by the epoch; see `host/src/runtime/ticker.rs`.
    config.epoch_interruption(true);
    config.max_wasm_stack(MAX_WASM_STACK);
    config.memory_reservation(MEMORY_RESERVATION);
    config.memory_reservation_for_growth(0);
    config.memory_guard_size(MEMORY_GUARD);
    config.guard_before_linear_memory(false);
    // The agent uses its memories again (`host/src/runtime/memories.rs`), and then copying a module's data is cheaper than mapping it.
    config.memory_init_cow(false);
    // The table from machine code back to offsets in the module doubles the size of the code. Traps are told by their kind;
    // who develops a module finds the place with the panic message in the log.
    config.generate_address_map(false);
    // The engine finds its way through a module's frames by itself; tables for others that want to would be registered before the first answer.
    config.native_unwind_info(false);
    config
}
