//! Code that was made for another engine: the owner's tool makes it anew, in a process of its own.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

/// Runs `bulkhead module recompile` to its end. An error is one sentence.
pub(super) fn recompile(store: &Path) -> Result<(), String> {
    // This program, also after a newer one was put in its place: the code must be for the engine that runs here.
    let mut tool = Command::new("/proc/self/exe");
    tool.arg0("bulkhead").args(["module", "recompile", "--store"]).arg(store);
    let ended = tool.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).output();
    let ended = ended.map_err(|error| format!("bulkhead module recompile cannot be started: {error}"))?;
    if ended.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&ended.stderr);
    let last = said.lines().last().unwrap_or("it said nothing");
    Err(format!("bulkhead module recompile has failed ({}): {last}", ended.status))
}
