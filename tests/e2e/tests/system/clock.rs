//! The clock of the system and the one on the board.

use bulkhead_e2e::Lab;
use serde_json::{Value, json};

const SECOND: i64 = 1_000_000_000;
const WEEK: i64 = 7 * 24 * 3600 * SECOND;

fn now(lab: &mut Lab) -> i64 {
    lab.number("date +%s%N")
}

/// Seconds since the epoch on the clock of the board, which counts in UTC.
fn board(lab: &mut Lab) -> i64 {
    lab.number("cat /sys/class/rtc/rtc0/since_epoch")
}

pub(crate) fn time(lab: &mut Lab) {
    let before = now(lab);
    let said = lab.call("guest-get-time", Value::Null).as_i64().unwrap();
    let after = now(lab);
    assert!((before - SECOND / 1000..=after).contains(&said), "{said} is not in {before}..={after}");

    // Back by a week, on both clocks.
    let wanted = after - WEEK;
    lab.call("guest-set-time", json!({ "time": wanted }));
    let set = now(lab);
    assert!((wanted..wanted + 30 * SECOND).contains(&set), "{set} instead of {wanted}");
    let difference = board(lab) - now(lab) / SECOND;
    assert!(difference.abs() <= 2, "the board's clock is {difference} s off");

    // Without an argument the board's clock wins: the system's has gone wrong.
    lab.vm.shell("date -s '+3 hours'");
    lab.call("guest-set-time", Value::Null);
    let difference = board(lab) - now(lab) / SECOND;
    assert!(difference.abs() <= 2, "the clocks are {difference} s apart");

    let refused = lab.client.call("guest-set-time", json!({ "time": i64::MAX }));
    assert_eq!(refused.class(), "GenericError", "{}", refused.text);
    let back = now(lab) + WEEK;
    lab.call("guest-set-time", json!({ "time": back }));
}
