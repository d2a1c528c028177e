//! Putting a system to sleep that pretends: which way is taken, and what the client learns if none is left.

use bulkhead_fault::House;
use bulkhead_sys::{Errno, Fake, ProgramError};

fn exits(status: i32, output: &str) -> Result<(), ProgramError> {
    Err(ProgramError::Exited { status, output: output.as_bytes().to_vec() })
}

#[test]
fn the_kernel_sleeps_when_the_tools_fail() {
    let system = Fake::default();
    // Status 3 for whatever it is asked: the service is there, but cannot be started.
    system.install("/bin/systemctl", exits(3, "no bus\n"));
    system.install("/bin/pm-is-supported", Ok(()));
    system.install("/bin/pm-suspend", exits(1, "no quirks\n"));
    system.install("/bin/pm-suspend-hybrid", exits(1, "no swap\n"));
    system.write_system_file("/sys/power/state", "freeze mem disk\n");
    let mut house = House::new(&system);
    assert_eq!(house.ask(r#"{"execute":"guest-suspend-ram"}"#), None, "success is not answered");
    assert_eq!(
        system.events(),
        [
            "run /bin/systemctl status systemd-suspend",
            "run /bin/systemctl suspend",
            "run /bin/pm-is-supported --suspend",
            "run /bin/pm-suspend",
            "sleep mem"
        ]
    );

    system.refuse_sleep(Errno::EBUSY);
    assert_eq!(
        house.failure("guest-suspend-ram"),
        "child process has failed to suspend: failed to write '/sys/power/state': Device or resource busy"
    );
    assert_eq!(house.failure("guest-suspend-hybrid"), "child process has failed to suspend: no swap\n");
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
