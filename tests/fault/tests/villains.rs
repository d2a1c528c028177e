//! One villain after the other: each costs one error reply, and the agent goes on.

use bulkhead_broker::logging;
use bulkhead_fault::House;
use bulkhead_sys::Fake;
use bulkhead_test_support::Scratch;
use nix::time::{ClockId, clock_gettime};
use serde_json::json;

/// The villain in the place of `core` fails guest-ping with no word but that it failed; another module then answers.
fn fails_and_is_survived(villain: &str) {
    let mut house = House::with_villain(&Fake::default(), "core", villain);
    for _ in 0..2 {
        assert_eq!(house.failure("guest-ping"), "The command guest-ping failed in module 'core'");
        assert_eq!(house.success("guest-fsfreeze-status"), "thawed");
    }
}

#[test]
fn a_module_that_spins_is_stopped() {
    fails_and_is_survived("spins");
}

/// Measured is the processor time of this thread, on which modules run.
#[test]
fn a_deadline_of_the_owners_stops_it_sooner() {
    let mut house = House::with_villain(&Fake::default(), "core", "spins");
    let time = || clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).expect("every thread has this clock");
    let mut used = |policy: &str| {
        house.set_policy(policy);
        let begin = time();
        house.failure("guest-ping");
        time() - begin
    };
    let agents_own = used("profile = \"full\"\n");
    let owners = used("profile = \"full\"\n[[limit]]\nmodules = [\"core\"]\ndeadline = \"1s\"\n");
    assert!(owners * 2 < agents_own, "{owners} and {agents_own}");
    let others = used("profile = \"full\"\n[[limit]]\nmodules = [\"file\"]\ndeadline = \"1s\"\n");
    assert!(others > owners * 2, "it is of another module");
}

#[test]
fn a_module_that_traps_tells_the_client_nothing_more() {
    fails_and_is_survived("traps");
}

#[test]
fn a_module_that_hoards_memory_is_stopped() {
    fails_and_is_survived("hoards_memory");
}

#[test]
fn a_module_that_recurses_ends_itself_and_not_the_agent() {
    fails_and_is_survived("recurses");
}

#[test]
fn a_module_that_calls_the_host_for_ever_is_stopped() {
    fails_and_is_survived("calls_forever");
}

#[test]
fn a_module_cannot_forge_a_second_reply() {
    fails_and_is_survived("forges_reply");
}

#[test]
fn a_module_cannot_say_two_things_under_one_key() {
    fails_and_is_survived("repeats_keys");
}

#[test]
fn a_module_that_asks_what_it_was_not_granted_is_never_instantiated() {
    let system = Fake::default();
    system.install("/sbin/poweroff", Ok(()));
    let mut house = House::with_villain(&system, "core", "asks_ungranted");
    assert_eq!(house.failure("guest-ping"), "The command guest-ping failed in module 'core'");
    assert_eq!(system.events(), [""; 0], "nothing was run");
    // It will not fit the second time either, and the client is told so.
    assert_eq!(house.failure("guest-ping"), "Command guest-ping has been disabled: the command is not allowed");
}

#[test]
fn a_module_that_appends_for_ever_is_stopped() {
    let mut house = House::with_villain(&Fake::default(), "file", "appends_forever");
    for command in ["guest-file-open", "guest-file-read"] {
        assert_eq!(house.failure(command), format!("The command {command} failed in module 'file'"));
    }
    assert_eq!(house.success("guest-ping"), json!({}));
}

#[test]
fn base64_can_stand_in_strings_only() {
    let mut house = House::with_villain(&Fake::default(), "file", "base64_astray");
    assert_eq!(house.failure("guest-file-open"), "The command guest-file-open failed in module 'file'");
}

#[test]
fn a_module_cannot_guess_a_handle() {
    let mut house = House::with_villain(&Fake::default(), "file", "forges_handles");
    assert_eq!(house.success("guest-file-open"), 0);
}

#[test]
fn nothing_a_module_remembers_survives_its_request() {
    let mut house = House::with_villain(&Fake::default(), "core", "remembers");
    for _ in 0..3 {
        assert_eq!(house.success("guest-ping"), 1);
    }
}

/// The instance that was ready had been made within other bounds.
#[test]
fn a_new_policy_counts_for_the_very_next_request() {
    let mut house = House::new(&Fake::default());
    assert_eq!(house.success("guest-ping"), json!({}));
    house.set_policy("profile = \"full\"\n[[limit]]\nmodules = [\"core\"]\nmemory = \"64KiB\"\n");
    assert_eq!(house.failure("guest-ping"), "The command guest-ping failed in module 'core'");
    house.set_policy("profile = \"full\"\n");
    assert_eq!(house.success("guest-ping"), json!({}));
}

#[test]
fn a_module_that_floods_the_log_gets_its_share_and_no_more() {
    let scratch = Scratch::new("flood");
    let path = scratch.join("log");
    let _log = logging::start(logging::Settings { file: Some(path.clone()), verbose: true, ..Default::default() })
        .expect("no other test starts the log");
    let mut house = House::with_villain(&Fake::default(), "core", "floods_log");
    assert_eq!(house.success("guest-ping"), json!({}));
    let log = std::fs::read_to_string(&path).expect("the log is there");
    let lines: Vec<_> = log.lines().filter(|line| line.contains("module core: line")).collect();
    assert_eq!(lines.len(), 64);
    assert!(lines[63].ends_with("warning: module core: line 63\\n0.000000: critical: forged"), "{}", lines[63]);
    assert!(log.contains("module core: 99936 more lines were not logged"), "{log}");
}
