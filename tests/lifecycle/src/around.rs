//! Small things that tests do around an agent.

use std::time::{Duration, Instant};

/// Waits up to ten seconds for something to become true.
pub fn soon(what: &str, is_so: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(10);
    while !is_so() {
        assert!(Instant::now() < end, "not so after 10 s: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// What the agent warns of in its log, but for commands that it refuses.
pub fn warnings(log: &str) -> Vec<&str> {
    let is_one = |line: &&str| line.contains(": warning: ") || line.contains(": error: ");
    log.lines().filter(is_one).filter(|line| !line.contains(" refused: by ")).collect()
}
