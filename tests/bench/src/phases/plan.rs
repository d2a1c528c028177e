//! How much of everything is measured.

use super::{KIB, MIB};
use std::time::Duration;

/// How much of everything one run does.
pub(crate) struct Plan {
    pub(super) starts: usize,
    pub(super) pings: usize,
    pub(super) pipelined: usize,
    pub(super) polled: usize,
    pub(super) execs: usize,
    pub(super) captures: usize,
    pub(super) opens: usize,
    /// Requests of each kind under each policy.
    pub(crate) judged: usize,
    /// Swaps of a module while a client asks.
    pub(crate) swapped: usize,
    /// Rounds of the tables on growth.
    pub(crate) rounds: usize,
    /// How long agents are watched at rest.
    pub(super) rest: Duration,
    /// Bytes per request, bytes in all.
    pub(super) reads: [(usize, usize); 5],
    pub(super) writes: [(usize, usize); 4],
}

impl Plan {
    /// About a minute per run on a quiet machine.
    pub(crate) fn full() -> Self {
        Plan {
            starts: 20,
            pings: 20_000,
            pipelined: 100_000,
            polled: 1000,
            execs: 300,
            captures: 5,
            opens: 500,
            judged: 2000,
            swapped: 200,
            rounds: 7,
            rest: Duration::from_secs(20),
            reads: [
                (4 * KIB, 16 * MIB),
                (64 * KIB, 128 * MIB),
                (MIB, 256 * MIB),
                (16 * MIB, 256 * MIB),
                (48 * MIB, 240 * MIB),
            ],
            writes: [(4 * KIB, 4 * MIB), (64 * KIB, 32 * MIB), (MIB, 48 * MIB), (16 * MIB, 64 * MIB)],
        }
    }

    /// About 20 seconds per run on a quiet machine.
    pub(crate) fn quick() -> Self {
        Plan {
            starts: 20,
            pings: 2000,
            pipelined: 10_000,
            polled: 200,
            execs: 50,
            captures: 2,
            opens: 100,
            judged: 300,
            swapped: 50,
            rounds: 3,
            rest: Duration::from_secs(5),
            reads: [
                (4 * KIB, 4 * MIB),
                (64 * KIB, 16 * MIB),
                (MIB, 32 * MIB),
                (16 * MIB, 32 * MIB),
                (48 * MIB, 48 * MIB),
            ],
            writes: [(4 * KIB, MIB), (64 * KIB, 4 * MIB), (MIB, 8 * MIB), (16 * MIB, 16 * MIB)],
        }
    }
}
