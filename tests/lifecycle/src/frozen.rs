//! An agent that starts frozen.

use bulkhead_test_support::Scratch;

/// A scratch folder with a state directory as an agent leaves it that was killed while file systems were frozen.
pub fn frozen_scratch() -> Scratch {
    let scratch = Scratch::new("frozen");
    std::fs::write(scratch.join("qga.state.isfrozen"), "").expect("a scratch folder can be written to");
    scratch
}
