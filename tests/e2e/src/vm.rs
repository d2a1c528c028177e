//! A running VM, as a test sees it.

use crate::backdoor::{Backdoor, PATIENCE};
use crate::machine::Machine;
use crate::qmp::Monitor;
use crate::{Builder, System, system};
use bulkhead_test_support::Client;
use serde_json::{Value, json};
use std::process::ExitStatus;
use std::time::{Duration, Instant};

/// A running VM. It ends with the value; if a test has failed its console is shown first.
#[derive(Debug)]
pub struct Vm {
    monitor: Monitor,
    /// A root shell behind the agent's back.
    backdoor: Backdoor,
    machine: Machine,
    /// The name of the agent's process.
    process: &'static str,
}

impl Vm {
    /// A VM with two processors (Westmere), 512 MiB, ext4 on /data and again on /bind, xfs on /xfs, and the agent under
    /// test on its virtio-serial port, started without arguments.
    pub fn builder() -> Builder {
        Builder::new()
    }

    /// A Debian with systemd, with disks of four kinds and two networks; see [`System`].
    pub fn system() -> System {
        System::new()
    }

    /// Connects to a machine that has just been started and waits until it is up. `process` is the agent's name.
    pub(crate) fn attach(machine: Machine, process: &'static str) -> Self {
        let monitor = Monitor::connect(&machine.path("monitor"));
        let backdoor = Backdoor::connect(&machine.path("backdoor"));
        let mut vm = Vm { monitor, backdoor, machine, process };
        vm.wait_until_up();
        vm
    }

    /// Connects to the host side of the agent's port and brings the conversation in step. QEMU serves one connection
    /// at a time: a second one waits until the first is closed.
    pub fn client(&self) -> Client {
        let mut client = self.connect();
        crate::synchronise(&mut client);
        client
    }

    /// Connects to the host side of the agent's port and sends nothing.
    pub fn connect(&self) -> Client {
        let mut client = Client::connect(&self.machine.path("agent"));
        client.patience = Duration::from_secs(60);
        client
    }

    /// Runs shell commands as root, behind the agent's back, and gives their output; they must succeed.
    ///
    /// What is started in the background must not keep the output open: `(...) >/dev/null 2>&1 &`.
    pub fn shell(&mut self, commands: &str) -> String {
        self.backdoor.shell(commands)
    }

    /// As [`Vm::shell`], for commands that may fail: exit status and output.
    pub fn try_shell(&mut self, commands: &str) -> (i64, String) {
        self.backdoor.try_shell(commands)
    }

    pub(crate) fn backdoor(&mut self) -> &mut Backdoor {
        &mut self.backdoor
    }

    /// Waits until shell commands succeed.
    pub fn until(&mut self, commands: &str) {
        self.backdoor.until(commands);
    }

    /// Waits for the next event of this name from QEMU and gives its data; earlier events are forgotten.
    pub fn event(&mut self, name: &str) -> Value {
        self.monitor.event(name, PATIENCE)
    }

    /// Runs one command of QEMU's monitor and gives its return. `arguments` may be `Value::Null` for none.
    pub fn qmp(&mut self, command: &str, arguments: Value) -> Value {
        self.monitor.command(command, arguments)
    }

    /// Waits until the VM answers (again) and its agent is there: on a virtio-serial port, when QEMU sees it open.
    pub fn wait_until_up(&mut self) {
        self.backdoor.wait(PATIENCE);
        self.until(&format!("pidof {}", self.process));
        let end = Instant::now() + Duration::from_secs(3);
        // With another channel the port stays closed (vsock) or always counts as open (isa-serial).
        while !self.port_is_open() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Whether a process in the VM holds the agent's port open.
    pub fn port_is_open(&mut self) -> bool {
        let ports = self.qmp("query-chardev", Value::Null);
        let ports = ports.as_array().expect("a list of character devices");
        ports.iter().any(|port| port["label"] == "agent" && port["frontend-open"] == json!(true))
    }

    /// Waits until QEMU itself has ended.
    pub fn wait_exit(&mut self) -> ExitStatus {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.machine.ended() {
                return status;
            }
            assert!(Instant::now() < end, "QEMU does not end within {PATIENCE:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// How many bytes the file behind a disk takes up on this machine. `disk` is the name it was given in the making.
    pub fn disk_usage(&self, disk: &str) -> u64 {
        system::disk_usage(&self.machine.path(disk))
    }

    /// What the VM has printed so far: the kernel's messages, busybox init's, and the agent's log.
    pub fn console(&self) -> String {
        self.machine.console()
    }

    /// As [`tests_oracle`](crate::tests_oracle).
    pub fn runs_oracle(&self) -> bool {
        crate::tests_oracle()
    }
}
