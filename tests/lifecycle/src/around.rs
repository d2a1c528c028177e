//! Small things that tests do around an agent.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// Makes a shell script at `path`. A shell writes it: were this process to do so, a child that another thread starts at
/// that moment would have the file open for writing too, and a file open for writing cannot be executed.
pub fn script(path: &Path, body: &str) {
    let mut shell = Command::new("sh");
    shell.args(["-c", r#"printf '#!/bin/sh\n%s\n' "$2" >"$1" && chmod 755 "$1""#, "-"]);
    assert!(shell.arg(path).arg(body).status().expect("there is a shell").success());
}

/// Waits up to ten seconds for something to become true.
pub fn soon(what: &str, is_so: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(10);
    while !is_so() {
        assert!(Instant::now() < end, "not so after 10 s: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}
