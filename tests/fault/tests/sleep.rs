//! Putting a system to sleep that pretends: which way is taken, and what the client learns if none is left.

use bulkhead_fault::House;
use bulkhead_sys::{Errno, Fake, ProgramError};

fn exits(status: i32, output: &str) -> Result<(), ProgramError> {
    Err(ProgramError::Exited { status, output: output.as_bytes().to_vec() })
}

/// Where systemd runs the VM.
fn booted(system: &Fake) {
    system.write_system_file("/run/systemd/system/transient", "");
}

#[test]
fn what_systemd_refuses_is_not_done_behind_its_back() {
    let system = Fake::default();
    booted(&system);
    // Status 3 for whatever it is asked: the service is there, but cannot be started.
    system.install("/bin/systemctl", exits(3, "Access denied\n"));
    system.install("/bin/pm-is-supported", Ok(()));
    system.install("/bin/pm-suspend", Ok(()));
    system.write_system_file("/sys/power/state", "freeze mem disk\n");
    let lock = "WHAT=sleep\nMODE=block\nPID=388\nWHO=Backup\nWHY=copying\n";
    system.write_system_file("/run/systemd/inhibit/1", lock);
    system.link_system_file("/etc/systemd/system/suspend.target", "/dev/null");
    assert_eq!(
        House::new(&system).failure("guest-suspend-ram"),
        "child process has failed to suspend: Access denied\ninhibited by \"Backup\" (PID 388): copying\nsuspend.target is \
         masked\n"
    );
    assert_eq!(system.events(), ["run /bin/systemctl status systemd-suspend", "run /bin/systemctl suspend"]);
}

#[test]
fn only_so_many_locks_are_told_of() {
    let system = Fake::default();
    booted(&system);
    system.install("/bin/systemctl", exits(3, ""));
    for number in 0..1000 {
        let lock = format!("WHAT=sleep\nMODE=block\nPID={number}\nWHO=One\nWHY=many\n");
        system.write_system_file(&format!("/run/systemd/inhibit/{number}"), lock);
    }
    assert_eq!(House::new(&system).failure("guest-suspend-ram").matches("inhibited by").count(), 8);
}

#[test]
fn the_kernel_sleeps_where_nobody_is_in_charge() {
    let system = Fake::default();
    // What a systemctl says where systemd does not run the VM.
    system.install("/bin/systemctl", exits(1, "System has not been booted with systemd\n"));
    system.write_system_file("/sys/power/state", "freeze mem disk\n");
    let mut house = House::new(&system);
    assert_eq!(house.ask(r#"{"execute":"guest-suspend-ram"}"#), None, "success is not answered");
    assert_eq!(
        system.events(),
        ["run /bin/systemctl status systemd-suspend", "run /bin/systemctl suspend", "sleep mem"]
    );
    system.refuse_sleep(Errno::EBUSY);
    assert_eq!(
        house.failure("guest-suspend-ram"),
        "child process has failed to suspend: failed to write '/sys/power/state': Device or resource busy"
    );

    // The same where it does: it was asked, and its answer counts.
    booted(&system);
    let refusal = "child process has failed to suspend: System has not been booted with systemd\n";
    assert_eq!(house.failure("guest-suspend-ram"), refusal);
    assert_eq!(system.events().iter().filter(|event| *event == "sleep mem").count(), 2, "and no third time");
}

#[test]
fn what_pm_utils_refuses_is_refused() {
    let system = Fake::default();
    system.install("/bin/pm-is-supported", Ok(()));
    system.install("/bin/pm-suspend", exits(1, "no quirks\n"));
    system.write_system_file("/sys/power/state", "freeze mem disk\n");
    assert_eq!(House::new(&system).failure("guest-suspend-ram"), "child process has failed to suspend: no quirks\n");
    assert_eq!(system.events(), ["run /bin/pm-is-supported --suspend", "run /bin/pm-suspend"]);
}

#[test]
fn a_tool_that_ran_too_long_is_the_last_one_tried() {
    let system = Fake::default();
    system.install("/bin/pm-is-supported", Ok(()));
    system.install("/bin/pm-hibernate", Err(ProgramError::TimedOut));
    system.write_system_file("/sys/power/state", "disk\n");
    assert_eq!(
        House::new(&system).failure("guest-suspend-disk"),
        "child process has failed to suspend: it did not end in time and was killed"
    );
    assert_eq!(system.events(), ["run /bin/pm-is-supported --hibernate", "run /bin/pm-hibernate"]);
}

#[test]
fn without_any_way_nothing_is_tried() {
    let system = Fake::default();
    system.write_system_file("/sys/power/state", "freeze standby\n");
    let mut house = House::new(&system);
    for command in ["guest-suspend-disk", "guest-suspend-ram", "guest-suspend-hybrid"] {
        assert_eq!(house.failure(command), "the requested suspend mode is not supported by the guest");
    }
    assert_eq!(system.events(), [""; 0]);
}
