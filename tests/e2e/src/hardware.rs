//! What the two VMs have in common: the command line of a bare machine, and its ports.

use crate::parts::Parts;
use bulkhead_test_support::Scratch;
use std::process::Command;

/// The name of the agent's port, as libvirt and everybody else sets it.
pub(crate) const AGENT_PORT: &str = "org.qemu.guest_agent.0";
pub(crate) const BACKDOOR_PORT: &str = "test.backdoor.0";

/// QEMU with two processors, the kernel, `initramfs` from the scratch folder, a console, a monitor and no disk.
pub(crate) fn machine(parts: &Parts, scratch: &Scratch, cpu: &str, memory: &str) -> Command {
    let mut command = Command::new(&parts.qemu);
    command.args(["-nodefaults", "-no-user-config", "-display", "none", "-accel", "tcg"]);
    command.args(["-cpu", cpu, "-smp", "2", "-m", memory]);
    command.arg("-kernel").arg(&parts.kernel).arg("-initrd").arg(scratch.join("initramfs"));
    command.args([
        "-append",
        "console=ttyS0 loglevel=4 mitigations=off no_timer_check net.ifnames=0 systemd.show_status=auto",
    ]);
    command.args(["-serial", &format!("file:{}", file(scratch, "console"))]);
    command.args(["-chardev", &socket(scratch, "monitor"), "-mon", "chardev=monitor,mode=control"]);
    command.args(["-device", "virtio-rng-pci"]);
    command
}

/// Adds the backdoor's port and the agent's: another one beside it, or the second serial port.
pub(crate) fn ports(command: &mut Command, scratch: &Scratch, serial: bool) {
    let port = |id: &str, name: &str| format!("virtserialport,id={id}-port,chardev={id},name={name}");
    command.args(["-device", "virtio-serial-pci"]);
    command.args(["-chardev", &socket(scratch, "backdoor"), "-device", &port("backdoor", BACKDOOR_PORT)]);
    let agent = if serial { "isa-serial,chardev=agent,index=1".to_owned() } else { port("agent", AGENT_PORT) };
    command.args(["-chardev", &socket(scratch, "agent"), "-device", &agent]);
}

/// Adds a disk: the file `id` of the scratch folder, behind a device of this kind. What it holds dies with the VM.
pub(crate) fn disk(command: &mut Command, scratch: &Scratch, id: &str, device: &str) {
    let file = file(scratch, id);
    command.args(["-drive", &format!("id={id},file={file},if=none,format=raw,discard=unmap,cache=unsafe")]);
    command.args(["-device", &format!("{device},drive={id}")]);
}

fn file(scratch: &Scratch, name: &str) -> String {
    scratch.join(name).display().to_string()
}

fn socket(scratch: &Scratch, id: &str) -> String {
    format!("socket,id={id},path={},server=on,wait=off", file(scratch, id))
}
