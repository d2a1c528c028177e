//! A client that sends as fast as it can while modules are swapped: each request is answered once, in its turn, by the old
//! module or the new one, and by the new one alone once the agent says that it serves.

use bulkhead_modules_tests::Place;
use bulkhead_swapping::{COMMAND, NAME, Sample, Shelf, both_installed, choose, number, serves_by_status, soon, start};
use bulkhead_test_support::{Agent, Client, Scratch, agent_under_test};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// A command that only the second version says it has.
const SECOND: &str = "__org.example_second";

/// Of these every fifth is made by `bulkhead module rollback`.
const SWAPS: usize = 125;

/// Where the storm is, told by the one who swaps to the one who sends. Stage 2n: after n swaps, and the agent has said so;
/// 2n + 1: the next one is under way.
#[derive(Default)]
struct Stage {
    now: AtomicUsize,
    /// The last stage in which a request was both sent and answered.
    seen: AtomicUsize,
}

const END: usize = 2 * SWAPS + 1;

impl Stage {
    fn now(&self) -> usize {
        self.now.load(Ordering::SeqCst)
    }

    fn enter(&self, stage: usize) {
        self.now.store(stage, Ordering::SeqCst);
    }
}

/// The version that serves after so many swaps, the second one being the first to serve.
fn version_after(swaps: usize) -> u64 {
    if swaps.is_multiple_of(2) { 2 } else { 1 }
}

fn swap_once(place: &Place, digests: &[String; 2], index: usize) {
    let to = version_after(index + 1);
    match (index % 5, to) {
        (0, 1) => drop(place.tool(&["rollback", NAME]).good()),
        (0, _) => drop(place.tool(&["rollback", NAME, "--to", "2.0"]).good()),
        _ => choose(place, &digests[usize::from(to == 2)]),
    }
}

/// Swaps to and fro, and each time waits until the agent says so, and until the client had an answer after that.
fn swap(place: &Place, digests: &[String; 2], agent: &Agent, stage: &Stage) {
    for index in 0..SWAPS {
        soon("a request was sent and answered between two swaps", || stage.seen.load(Ordering::SeqCst) == stage.now());
        stage.enter(2 * index + 1);
        swap_once(place, digests, index);
        let version = format!("{}.0", version_after(index + 1));
        soon("bulkhead status shows the other version", || serves_by_status(agent, &version));
        stage.enter(2 * index + 2);
    }
    soon("the last version has answered", || stage.seen.load(Ordering::SeqCst) == stage.now());
    stage.enter(END);
}

/// With so many requests on their way at once.
fn storm(at_once: usize) {
    let (place, digests) = both_installed();
    let agent = start(&place, &agent_under_test(), Scratch::new("storm"), &[]);
    let mut client = agent.client();
    assert_eq!(number(&client.call(COMMAND, Value::Null)), 2);
    let stage = Stage::default();
    let (mut answers, mut slowest) = (Vec::new(), Duration::ZERO);
    thread::scope(|scope| {
        let swapper = scope.spawn(|| swap(&place, &digests, &agent, &stage));
        // One that has failed enters no further stage.
        let is_over = || stage.now() == END || swapper.is_finished();
        let (mut sent, mut waiting) = (0_u64, VecDeque::new());
        while !is_over() || !waiting.is_empty() {
            while waiting.len() < at_once && !is_over() {
                let request = json!({ "execute": COMMAND, "id": sent });
                waiting.push_back((sent, stage.now(), Instant::now()));
                client.stream().write_all(format!("{request}\n").as_bytes()).unwrap();
                sent += 1;
            }
            let reply = client.reply();
            let (id, at, begin) = waiting.pop_front().expect("nothing is answered that was not sent");
            assert_eq!(reply.value["id"], json!(id), "each is answered once, in its turn");
            answers.push(number(&reply));
            if at.is_multiple_of(2) && stage.now() == at {
                assert_eq!(answers.last(), Some(&version_after(at / 2)), "after {} swaps", at / 2);
                stage.seen.store(at, Ordering::SeqCst);
            }
            slowest = slowest.max(begin.elapsed());
        }
        assert_eq!(client.try_reply(Duration::from_millis(100)), None, "and none twice");
        assert_eq!(answers.len() as u64, sent, "and none is lost");
    });
    assert!(answers.iter().all(|answer| [1, 2].contains(answer)));
    let changes = answers.windows(2).filter(|pair| pair[0] != pair[1]).count();
    assert_eq!(changes, SWAPS, "each swap is seen once, and never undone");
    let first = answers.iter().filter(|answer| **answer == 1).count();
    println!("{at_once} at once, {SWAPS} swaps: {} answers, {first} of them 1, slowest {slowest:?}", answers.len());
}

#[test]
fn one_request_after_the_other() {
    storm(1);
}

#[test]
fn many_requests_at_once() {
    storm(50);
}

fn names(info: &Value) -> Vec<&str> {
    let commands = info["supported_commands"].as_array().expect("guest-info lists the commands");
    commands.iter().filter_map(|command| command["name"].as_str()).collect()
}

fn is_second(info: &Value) -> bool {
    names(info).contains(&SECOND)
}

/// Waits until guest-info shows the version.
fn until(client: &mut Client, second: bool) {
    soon("guest-info shows the new commands", || is_second(&client.call("guest-info", Value::Null).ok()) == second);
}

fn shelf(scratch: &Scratch) -> Shelf {
    let shelf = Shelf::new(scratch);
    shelf.put(&Sample::again("core", 2, &[SECOND]));
    shelf.put(&Sample::again("core", 1, &[]));
    shelf
}

#[test]
fn after_each_swap_the_next_guest_info_shows_the_new_commands() {
    let scratch = Scratch::new("shown");
    let shelf = shelf(&scratch);
    let agent = shelf.agent(scratch, &["-v"]);
    let (first, second) = (Sample::again("core", 1, &[]), Sample::again("core", 2, &[SECOND]));
    let mut client = agent.client();
    let mut waits = Vec::new();
    for index in 0..100 {
        let is_second = index % 2 == 0;
        shelf.choose("core", Some(if is_second { second.digest() } else { first.digest() }));
        let begin = Instant::now();
        until(&mut client, is_second);
        waits.push(begin.elapsed());
    }
    waits.sort();
    let log = agent.log();
    let pause = |line: &str| line.split("swapped in ").nth(1)?.split(' ').next()?.parse::<u64>().ok();
    let mut pauses: Vec<u64> = log.lines().filter_map(pause).collect();
    pauses.sort_unstable();
    println!("from the change on record to its first reply: median {:?}, longest {:?}", waits[50], waits[99]);
    println!(
        "pauses of {} swaps: median {} us, longest {} us",
        pauses.len(),
        pauses[pauses.len() / 2],
        pauses[pauses.len() - 1]
    );
    assert!(pauses.len() >= 100);
    assert!(pauses[pauses.len() / 2] < 1000, "a swap is no pause that a client would notice");
}
