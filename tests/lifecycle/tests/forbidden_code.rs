//! MemoryDenyWriteExecute=yes: no memory of the agent can become machine code.

use bulkhead_lifecycle::{agent_in, run_to_end};
use bulkhead_test_support::Scratch;
use std::process::Command;

/// What systemd does first, where the kernel has it (6.3): PR_SET_MDWE with PR_MDWE_REFUSE_EXEC_GAIN.
const FORBID: &str = "import ctypes, os, sys
if ctypes.CDLL(None).prctl(65, 1, 0, 0, 0): sys.exit(77)
os.execv(sys.argv[1], sys.argv[1:])";

/// Each command would fail, for a reason that nobody understands, and the service would be called active.
#[test]
fn the_agent_says_so_and_ends() {
    let scratch = Scratch::new("mdwe");
    let socket = scratch.join("socket");
    let pid = scratch.join("pid");
    for daemonize in [&[][..], &["-d"]] {
        let agent = agent_in(&scratch);
        let mut command = Command::new("python3");
        command.args(["-c", FORBID]).arg(agent.get_program()).args(agent.get_args());
        command.args(["-m", "unix-listen", "-p"]).arg(&socket).arg("-f").arg(&pid).args(daemonize);
        let ended = run_to_end(command.env("QGA_CONF", scratch.join("no-configuration")), &scratch);
        if ended.status.code() == Some(77) {
            return println!("skipped: this kernel has no PR_SET_MDWE");
        }
        assert_eq!(ended.status.code(), Some(1), "{}", ended.output);
        assert_eq!(ended.output.lines().count(), 1, "{}", ended.output);
        assert!(ended.output.contains("MemoryDenyWriteExecute=yes") && ended.output.contains("Permission denied"));
        assert!(!socket.exists() && !pid.exists());
    }
}
