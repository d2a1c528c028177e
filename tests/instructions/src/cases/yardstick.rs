//! Work whose amount is known, to measure the measurement by.

use super::{Case, Repetition};
use std::hint::black_box;

/// They have no baseline: the tests compare them with each other.
pub const YARDSTICKS: &[Case] = &[
    Case { name: "yardstick", what: "ten thousand steps", count: 20, prepare: || steps(10_000) },
    Case { name: "yardstick-twice", what: "twenty thousand steps", count: 20, prepare: || steps(20_000) },
];

fn steps(count: u32) -> Repetition {
    Box::new(move || {
        for step in 0..count {
            black_box(step);
        }
    })
}
