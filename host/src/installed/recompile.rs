//! Code that was made for another engine: the owner's tool makes it anew, in a process of its own.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where packages put the owner's tools, if not beside the agent.
const INSTALLED: [&str; 2] = ["/usr/sbin/bulkhead", "/usr/bin/bulkhead"];

/// Runs `bulkhead module recompile` to its end. An error is one sentence.
///
/// The tool may be newer than this agent, where a package has replaced both: then it makes code for the newer one, and this agent
/// goes on without.
pub(super) fn recompile(store: &Path) -> Result<(), String> {
    let program = tool().ok_or("the program 'bulkhead' is not beside the agent, nor in /usr/sbin or /usr/bin")?;
    // It has the rights of the agent.
    let program = bulkhead_trust::check_file(&program)
        .map_err(|error| format!("the program 'bulkhead' cannot be used: {error}"))?;
    let mut tool = Command::new(program);
    tool.args(["module", "recompile", "--store"]).arg(store);
    let ended = tool.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).output();
    let ended = ended.map_err(|error| format!("bulkhead module recompile cannot be started: {error}"))?;
    if ended.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&ended.stderr);
    let last = said.lines().last().unwrap_or("it said nothing");
    Err(format!("bulkhead module recompile has failed ({}): {last}", ended.status))
}

/// The owner's tools: beside this program, also if a newer one has been put in its place, or where packages have them.
fn tool() -> Option<PathBuf> {
    let beside = std::env::current_exe().ok().map(|agent| agent.with_file_name("bulkhead"));
    beside.into_iter().chain(INSTALLED.map(PathBuf::from)).find(|path| path.exists())
}
