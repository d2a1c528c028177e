//! Programs on a system that pretends, and modules that want more of them than is theirs.

use bulkhead_fault::House;
use bulkhead_gate::{Ending, Errno, ProgramError};
use bulkhead_sys::Fake;
use serde_json::{Value, json};

fn system() -> Fake {
    let system = Fake::default();
    system.install("/bin/it", Ok(()));
    system.install("/bin/never", Err(ProgramError::NotStarted(Errno::EAGAIN)));
    system
}

fn ask(house: &mut House, command: &str, arguments: Value) -> Value {
    let request = json!({ "execute": command, "arguments": arguments });
    house.ask(&request.to_string()).expect("it is answered")
}

#[test]
fn a_program_from_its_start_to_its_end() {
    let system = system();
    let mut house = House::new(&system);
    let words = json!({ "path": "it", "arg": ["a", "b"], "input-data": "aGVsbG8=", "capture-output": true });
    assert_eq!(ask(&mut house, "guest-exec", words), json!({ "return": { "pid": 1 } }));
    assert_eq!(system.events(), ["spawn /bin/it a b"]);
    assert_eq!(system.input(1), b"hello");
    system.print(1, b"words");
    assert_eq!(ask(&mut house, "guest-exec-status", json!({ "pid": 1 })), json!({ "return": { "exited": false } }));
    system.end(1, Ending::Exited(3));
    assert_eq!(ask(&mut house, "guest-exec-status", json!({ "pid": 1 })), json!({ "return": { "exited": false } }));
    assert_eq!(system.processes(), [0_i32; 0], "it was waited for");
    system.close_output(1);
    assert_eq!(
        ask(&mut house, "guest-exec-status", json!({ "pid": 1 })),
        json!({ "return": { "exited": true, "exitcode": 3, "out-data": "d29yZHM=", "out-truncated": false } })
    );
    let gone = ask(&mut house, "guest-exec-status", json!({ "pid": 1 }));
    assert_eq!(gone.pointer("/error/desc"), Some(&json!("PID 1 does not exist")));
}

#[test]
fn a_system_that_starts_nothing_more_says_why() {
    let mut house = House::new(&system());
    let reply = ask(&mut house, "guest-exec", json!({ "path": "never", "input-data": "aGVsbG8=" }));
    let desc = "Failed to execute child process “never” (Resource temporarily unavailable)";
    assert_eq!(reply.pointer("/error/desc"), Some(&json!(desc)));
}

#[test]
fn with_a_thousand_running_there_is_no_room_for_one_more() {
    let system = system();
    let mut house = House::new(&system);
    let start = json!({ "path": "/bin/it" });
    for pid in 1..=1024 {
        assert_eq!(ask(&mut house, "guest-exec", start.clone()), json!({ "return": { "pid": pid } }));
    }
    let refused = ask(&mut house, "guest-exec", start.clone());
    let desc = "Failed to execute child process “/bin/it” (Resource temporarily unavailable)";
    assert_eq!(refused.pointer("/error/desc"), Some(&json!(desc)));
    system.end(500, Ending::Killed(9));
    assert_eq!(ask(&mut house, "guest-exec", start), json!({ "return": { "pid": 1025 } }));
}

#[test]
fn a_module_cannot_guess_a_process() {
    let system = system();
    system.set_next_pid(77);
    let mut house = House::with_villain(&system, "exec", "forges_processes");
    assert_eq!(house.success("guest-exec"), 77);
    assert_eq!(house.success("guest-exec-status"), 1, "its own answers, and no other number");
}

#[test]
fn input_is_bounded_and_gone_with_its_request() {
    let mut house = House::with_villain(&system(), "exec", "hoards_input");
    assert_eq!(house.success("guest-exec-status"), 64);
    let before = anonymous_memory();
    for _ in 0..5 {
        assert_eq!(house.failure("guest-exec"), "The command guest-exec failed in module 'exec'");
    }
    let now = anonymous_memory();
    assert!(now < before + (64 << 10), "{now} KiB after {before} KiB");
    assert_eq!(house.success("guest-exec-status"), 64);
}

/// Of this process, in KiB.
fn anonymous_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("/proc is there");
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).expect("it tells the memory");
    line.trim_end_matches("kB").trim().parse().expect("it is a number")
}
