//! What one request may use. Each limit bounds one kind of accident; none is near what honest modules need.

use std::time::Duration;

/// The linear memory of an instance, in bytes, unless the owner's policy says otherwise. It bounds a module that hoards. File
/// contents and the mount table stream through small pieces; what needs most is a table of routes of the largest size that the host reads (4 MiB)
/// beside its parsed form, which `tests/fault` shows to fit.
pub(super) const MEMORY: usize = 16 * 1024 * 1024;

/// Elements of all tables together. Tables hold function pointers, of which a module has as many as it was compiled
/// with; this bounds one that grows its table instead of its memory.
pub(super) const TABLE_ELEMENTS: usize = 20_000;

/// How much a module may hand to the host in one call, in bytes: strings and lists are copied into the host's memory
/// before the host can look at them. A piece of a reply has 64 KiB at the most; a description of an error may be as
/// long as the longest path or name that a client may send (1 MiB), several times over when it is quoted.
pub const CALL_BYTES: usize = 4 * 1024 * 1024;

/// How often one request may call the host. It bounds a module that loops over host calls, for the time that passes
/// in them is not the module's own. Reading or writing 64 MiB takes six thousand calls.
pub const HOST_CALLS: u32 = 1_000_000;

/// Resource handles of the component model; no interface has resources, so one is one too many. (The engine wants
/// room for its own bookkeeping.)
pub const COMPONENT_HANDLES: usize = 16;

/// Processor time that every request may use, unless the owner's policy says otherwise. Commands that move no file take some
/// ten milliseconds where they are slowest, on an emulated processor; a module that spins costs the next client this long.
pub(super) const TIME: Duration = Duration::from_secs(5);

/// Additional processor time, whatever the policy says, for each mebibyte that a request moves, for a large file takes time in proportion. Some
/// three milliseconds are needed on a processor of today; the rest is for one that is emulated.
const TIME_PER_MEBIBYTE: Duration = Duration::from_millis(250);

/// How many mebibytes buy time. A write of 48 MiB, the largest, moves 176: its text twice, where it must be checked before it is
/// decoded, and the file's bytes once. A
/// module that moves the same bytes again and again buys no more with them, so no request has more than 48 seconds more.
const MEBIBYTES_THAT_COUNT: u64 = 192;

/// How long the host acts for one request, on the clock on the wall, for the processor's does not see what is waited for: a file on
/// a server that takes seconds for each piece, a hundred homes that do not answer. It bounds what one request makes the next
/// client wait. What is known to take its time does not count here and has a limit each, in the gate: freezing, hooks, trimming,
/// sleep, switching off, passwords, hot-plugging. Of an honest request it is the whole time of the slowest: 48 MiB of a
/// file on a disk that gives a megabyte a second.
pub(crate) const HOST_TIME: Duration = Duration::from_secs(60);

/// A piece of a long request, in bytes. The compartment's memory must not grow with what a client asks
/// for, and a piece of this size stays in the processor's second-level cache.
pub const PIECE: usize = 64 * 1024;

/// Arguments up to this length, in bytes, are handed over whole; longer ones are read in pieces. Two calls more cost an
/// honest client nothing next to moving 64 KiB; without the bound a write of 48 MiB would need as much memory again.
pub const WHOLE_ARGUMENTS: usize = 64 * 1024;

/// Arguments without their long strings, in bytes: a list of a few ten thousand words. It bounds the compartment's memory, which an
/// honest client with such a list would otherwise exhaust in the module's parser.
pub const SHORT_ARGUMENTS: usize = 2 * 1024 * 1024;

/// A reply, in bytes. It bounds a module that appends for ever; the largest honest reply (48 MiB of a file) has 64 MiB
/// of base64.
pub const REPLY: usize = 128 * 1024 * 1024;

/// An error's description, in bytes, as the client gets it. A request may hold a token of 64 MiB, and errors quote names;
/// qemu-ga sends them back whole.
pub const DESCRIPTION: usize = 2 * 1024 * 1024;

/// Lines that one request may log; what comes after is counted and the number logged. It bounds a module that floods the
/// owner's disk. The built-in modules log a line per file system that fails to thaw, and otherwise nothing.
pub const LOG_LINES: usize = 64;

/// A line of the log, in bytes; what is longer is cut, with three dots in its place. With [`LOG_LINES`] it bounds what one
/// request can write to the owner's disk: 64 KiB.
pub const LOG_LINE: usize = 1024;

/// The stack of the thread that runs modules, in bytes: the module's own ([`bulkhead_engine::MAX_WASM_STACK`]) and, on
/// top of it, what host calls and the agent's own frames need. Were it smaller, a module's recursion would end the
/// agent instead of the request.
pub const THREAD_STACK: usize = bulkhead_engine::MAX_WASM_STACK + 1024 * 1024;

/// Processor time for a request that has moved so many bytes, if it has `time` without moving any.
pub(super) fn allowance(time: Duration, moved: u64) -> Duration {
    let mebibytes = u32::try_from((moved >> 20).min(MEBIBYTES_THAT_COUNT)).unwrap_or(u32::MAX);
    time.saturating_add(TIME_PER_MEBIBYTE.saturating_mul(mebibytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_grows_with_what_is_moved() {
        assert_eq!(allowance(TIME, 1000), TIME);
        assert_eq!(allowance(TIME, 48 << 20), TIME + 48 * TIME_PER_MEBIBYTE);
        assert_eq!(allowance(TIME, u64::MAX), TIME + Duration::from_secs(48), "and not without end");
    }
}
