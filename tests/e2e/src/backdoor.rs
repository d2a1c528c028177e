//! The host side of `vm/backdoor`: a root shell in the VM that does not go through the agent.

use bulkhead_test_support::Client;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long to wait for anything a VM does. The small one boots in four seconds, Debian in forty; the rest is for a
/// machine with much else to do, and costs nothing while all is well.
pub(crate) const PATIENCE: Duration = Duration::from_secs(180);

/// A connection to it.
#[derive(Debug)]
pub struct Backdoor {
    client: Client,
    next: u64,
}

impl Backdoor {
    /// Connects to QEMU's end of the port; nobody need have opened the other one yet.
    pub(crate) fn connect(socket: &Path) -> Self {
        Backdoor { client: Client::connect(socket), next: 0 }
    }

    /// Runs shell commands as root and gives their output; they must succeed.
    ///
    /// What is started in the background must not keep the output open: `(...) >/dev/null 2>&1 &`.
    pub fn shell(&mut self, commands: &str) -> String {
        let (status, output) = self.try_shell(commands);
        assert_eq!(status, 0, "{commands:?} failed: {output}");
        output
    }

    /// As [`Self::shell`], for commands that may fail: exit status and output.
    pub fn try_shell(&mut self, commands: &str) -> (i64, String) {
        let answer = self.run(commands, PATIENCE);
        answer.unwrap_or_else(|| panic!("{commands:?} does not end within {PATIENCE:?}"))
    }

    /// Waits until shell commands succeed.
    pub fn until(&mut self, commands: &str) {
        let end = Instant::now() + PATIENCE;
        while self.try_shell(commands).0 != 0 {
            assert!(Instant::now() < end, "{commands:?} did not come true within {PATIENCE:?}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Runs shell commands and gives their exit status and output, or nothing if there is no answer in time.
    pub(crate) fn run(&mut self, commands: &str, patience: Duration) -> Option<(i64, String)> {
        self.next += 1;
        self.client.send(format!("{} {}\n", self.next, crate::base64(commands.as_bytes())).as_bytes());
        let end = Instant::now() + patience;
        loop {
            let reply = self.client.try_reply(end.saturating_duration_since(Instant::now()))?.value;
            // An older id is the late answer to a request that was given up.
            if reply["id"] == self.next {
                let output = reply["output"].as_str().expect("the output is a string").as_bytes();
                let output = base64_simd::STANDARD.decode_to_vec(output).expect("the output is base64");
                let status = reply["status"].as_i64().expect("the status is a number");
                return Some((status, String::from_utf8_lossy(&output).into_owned()));
            }
        }
    }

    /// Waits until the VM answers. Requests are repeated: what is sent while the VM starts again may be lost. Each gets
    /// more time than the one before, or a VM on a busy machine would never catch up with the questions.
    pub(crate) fn wait(&mut self, patience: Duration) {
        let end = Instant::now() + patience;
        let mut time = Duration::from_secs(1);
        while self.run("true", time).is_none() {
            time *= 2;
            assert!(Instant::now() < end, "the VM does not answer within {patience:?}");
        }
    }
}
