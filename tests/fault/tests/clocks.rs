//! Setting the clocks on a system that pretends: what is set in which order, and what stays set when the rest fails.

use bulkhead_fault::House;
use bulkhead_sys::{Errno, Fake, ProgramError};
use serde_json::json;

fn set_time(house: &mut House, time: i64) -> serde_json::Value {
    let request = json!({"execute": "guest-set-time", "arguments": {"time": time}});
    house.ask(&request.to_string()).expect("it is answered")
}

#[test]
fn the_clock_is_told_in_whole_microseconds() {
    let system = Fake::default();
    system.set_clock(1_795_343_121_082_575_999);
    assert_eq!(House::new(&system).success("guest-get-time"), 1_795_343_121_082_575_000_i64);
}

#[test]
fn the_systems_clock_is_set_first_and_the_hardwares_follows() {
    let system = Fake::default();
    system.install("/sbin/hwclock", Ok(()));
    let mut house = House::new(&system);
    assert_eq!(set_time(&mut house, 1_000_000_000_000_000_999), json!({"return": {}}));
    assert_eq!(house.success("guest-set-time"), json!({}));
    assert_eq!(
        system.events(),
        ["set-time 1000000000000000000", "run /sbin/hwclock -w", "run /sbin/hwclock -s"],
        "without a time the hardware's clock leads"
    );
}

#[test]
fn a_hardware_clock_that_fails_does_not_turn_time_back() {
    let system = Fake::default();
    system.install("/sbin/hwclock", Err(ProgramError::Exited { status: 1, output: b"no clock\n".to_vec() }));
    let error = "child process has failed to set hardware clock to system time: no clock\n";
    assert_eq!(set_time(&mut House::new(&system), 0)["error"]["desc"], error);
    assert_eq!(system.events(), ["set-time 0", "run /sbin/hwclock -w"]);
}

#[test]
fn what_is_no_sensible_time_reaches_nothing() {
    let system = Fake::default();
    let mut house = House::new(&system);
    for time in [3_155_760_000_000_000_000, -1_000_000_000, i64::MAX, i64::MIN] {
        assert_eq!(set_time(&mut house, time)["error"]["desc"], "Invalid time");
    }
    assert_eq!(system.events(), [""; 0]);
}

#[test]
fn what_the_kernel_refuses_is_not_given_to_the_hardware() {
    let system = Fake::default();
    let refusal = "Failed to set time to guest: Invalid argument";
    assert_eq!(set_time(&mut House::new(&system), -1000)["error"]["desc"], refusal);
    assert_eq!(system.events(), ["set-time -1000"]);
}

/// A zone that is always three hours ahead.
fn zone() -> Vec<u8> {
    let header = |kinds, names| [b"TZif2".as_slice(), &[0; 15], &[0; 19], &[kinds, 0, 0, 0, names]].concat();
    [header(0, 0), header(1, 4), vec![0, 0, 0x2A, 0x30, 0, 0], b"XYZ\0\n\n".to_vec()].concat()
}

#[test]
fn without_the_program_the_kernel_sets_the_clocks() {
    let system = Fake::default();
    system.set_hardware_clock(Ok(2_000_000_000));
    let mut house = House::new(&system);
    system.set_clock(1_000_000_000_000_000_000);
    assert_eq!(set_time(&mut house, 1_000_000_000_000_000_000), json!({"return": {}}));
    assert_eq!(house.success("guest-set-time"), json!({}));
    assert_eq!(
        system.events(),
        ["set-time 1000000000000000000", "set-hardware-time 1000000000", "set-time 2000000000000000000"]
    );
}

#[test]
fn a_hardware_clock_may_show_local_time() {
    let system = Fake::default();
    system.set_hardware_clock(Ok(2_000_010_800));
    system.set_clock(1_000_000_000_000_000_000);
    system.write_system_file("/etc/adjtime", "0.0 0 0.0\n0\nLOCAL\n");
    system.write_system_file("/etc/localtime", zone());
    let mut house = House::new(&system);
    assert_eq!(set_time(&mut house, 1_000_000_000_000_000_000), json!({"return": {}}));
    assert_eq!(house.success("guest-set-time"), json!({}));
    assert_eq!(
        system.events(),
        ["set-time 1000000000000000000", "set-hardware-time 1000010800", "set-time 2000000000000000000"]
    );
}

#[test]
fn a_hardware_clock_that_is_not_there_has_the_programs_error() {
    let prefix = "child process has failed to set hardware clock to system time: ";
    let system = Fake::default();
    let mut house = House::new(&system);
    let missing = format!("{prefix}failed to exec '/sbin/hwclock': No such file or directory\n");
    assert_eq!(house.failure("guest-set-time"), missing);
    system.set_hardware_clock(Err(Errno::EBUSY));
    let busy = format!("{prefix}failed to use the hardware clock: Device or resource busy");
    assert_eq!(house.failure("guest-set-time"), busy);
    assert_eq!(system.events(), [""; 0]);
}
