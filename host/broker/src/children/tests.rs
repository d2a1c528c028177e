use super::*;
use bulkhead_border::processes::Ending;
use bulkhead_gate::{Manner, Output, ProgramError};
use bulkhead_policy::{Document, Policy};
use bulkhead_sys::Fake;
use std::rc::Rc;
use std::time::Duration;

/// A table in front of a system that pretends, where `/bin/it` is a program.
struct Table {
    system: Fake,
    gate: Gate,
    processes: Children,
}

fn table() -> Table {
    under(crate::policy_files::profile("full"))
}

/// With a permit for `/bin/it` that has these lines, and these other rules.
fn under_rules(settings: &str, others: &str) -> Table {
    under(policy(settings, others))
}

fn policy(settings: &str, others: &str) -> Policy {
    let text = format!(
        "version = 1\n[[permit]]\ncapability = \"processes\"\nmodules = [\"exec\"]\nprograms = [\"/bin/it\"]\n\
         reason = \"x\"\n{settings}\n{others}"
    );
    let document = Document::parse("test", &text, &[], &["exec"]).unwrap_or_else(|error| panic!("{error}"));
    Policy::merge([document], &[], &["exec"]).unwrap()
}

fn under(policy: Policy) -> Table {
    let system = Fake::default();
    system.install("/bin/it", Ok(()));
    system.install("/bin/broken", Err(ProgramError::NotStarted(Errno::ENOEXEC)));
    let gate = Gate::new(Box::new(system.clone()), None, Rc::new(policy));
    Table { system, gate, processes: Children::default() }
}

fn program(input: bool, output: Output) -> Spawn {
    Spawn {
        path: b"/bin/it".to_vec(),
        arguments: vec![b"it".to_vec()],
        environment: None,
        input,
        stdout: output,
        stderr: output,
        manner: Manner::default(),
    }
}

impl Table {
    fn start(&mut self, output: Output) -> Result<i32, Refusal<Errno>> {
        self.processes.start(&self.gate, "exec", program(false, output), Pieces::default())
    }

    fn with_input(&mut self, input: &[u8]) -> i32 {
        let mut pieces = Pieces::default();
        pieces.append(input);
        self.processes.start(&self.gate, "exec", program(true, Output::Discard), pieces).unwrap()
    }

    fn ending(&mut self, pid: i32) -> Option<Ending> {
        self.processes.status(&self.gate, "exec", pid).unwrap().ending
    }

    fn end(&mut self, pid: i32) {
        self.system.end(pid, Ending::Exited(0));
        self.system.close_output(pid);
    }

    /// What is looked after without a client.
    fn tend(&mut self) {
        self.processes.reap(&self.gate);
        while self.processes.pump_ready() {}
    }
}

#[test]
fn it_is_over_when_it_has_ended_and_nobody_can_print_any_more() {
    let mut table = table();
    let pid = table.start(Output::Capture).unwrap();
    table.system.print(pid, b"early");
    assert_eq!(table.ending(pid), None);
    table.system.end(pid, Ending::Killed(9));
    assert_eq!(table.ending(pid), None, "something it has started may still print");
    assert_eq!(table.system.processes(), [0_i32; 0], "but it was waited for");
    table.system.print(pid, b", late");
    table.system.close_output(pid);
    let progress = table.processes.status(&table.gate, "exec", pid).unwrap();
    assert_eq!(progress.ending, Some(Ending::Killed(9)));
    assert_eq!(progress.stdout, Captured { length: 11, truncated: false });
    assert_eq!(table.processes.read("exec", pid, Which::Stdout, 5, 100).unwrap(), b", late");
    assert_eq!(table.processes.read("exec", pid, Which::Stderr, 0, 100).unwrap(), b"");
}

#[test]
fn a_result_is_kept_until_it_is_forgotten_and_a_running_program_is_not_forgotten() {
    let mut table = table();
    let pid = table.start(Output::Discard).unwrap();
    assert_eq!(table.processes.forget("exec", pid), Ok(()));
    assert_eq!(table.ending(pid), None);
    table.end(pid);
    assert_eq!(table.ending(pid), Some(Ending::Exited(0)));
    assert_eq!(table.ending(pid), Some(Ending::Exited(0)));
    assert_eq!(table.processes.forget("exec", pid), Ok(()));
    assert_eq!(table.processes.status(&table.gate, "exec", pid), Err(UnknownProcess));
    assert_eq!(table.processes.forget("exec", pid), Err(UnknownProcess));
}

#[test]
fn a_number_is_nothing_to_another_module() {
    let mut table = table();
    let pid = table.start(Output::Capture).unwrap();
    assert_eq!(table.processes.status(&table.gate, "file", pid), Err(UnknownProcess));
    assert_eq!(table.processes.read("file", pid, Which::Stdout, 0, 1), Err(UnknownProcess));
    assert_eq!(table.processes.forget("file", pid), Err(UnknownProcess));
}

#[test]
fn pipes_are_emptied_and_the_dead_waited_for_while_nobody_asks() {
    let mut table = table();
    let (talker, silent) = (table.start(Output::Capture).unwrap(), table.start(Output::Discard).unwrap());
    let piece = [b'x'; 1 << 15];
    for _ in 0..100 {
        table.system.print(talker, &piece);
        table.tend();
    }
    table.end(silent);
    table.tend();
    assert_eq!(table.system.processes(), [talker], "the other one was waited for");
    table.end(talker);
    table.tend();
    assert_eq!(table.processes.status(&table.gate, "exec", talker).unwrap().stdout.length, 100 << 15);
}

#[test]
fn a_program_that_prints_without_end_does_not_hold_the_agent() {
    let mut table = table();
    let pid = table.start(Output::Capture).unwrap();
    let system = table.system.clone();
    for _ in 0..(STREAM >> 15) + 10 {
        system.print(pid, &[b'x'; 1 << 15]);
        assert!(table.processes.pump_ready(), "there may be more");
    }
    let captured = table.processes.status(&table.gate, "exec", pid).unwrap().stdout;
    assert_eq!(captured, Captured { length: STREAM, truncated: true });
}

#[test]
fn input_is_written_as_far_as_it_is_read() {
    let mut table = table();
    let pid = table.with_input(b"all of it");
    assert_eq!(table.system.input(pid), b"all of it", "and the end has come");
    let idle = table.with_input(&vec![b'x'; 1 << 20]);
    table.tend();
    let has_room = |table: &Table, count| table.processes.has_room_for_input(&table.gate, "exec", count);
    assert!(has_room(&table, HELD - (1 << 20)));
    assert!(!has_room(&table, HELD), "a pipe's content is the system's");
    table.end(idle);
    table.tend();
    assert!(has_room(&table, HELD), "what nobody reads any more is dropped");
    assert_eq!(table.ending(idle), Some(Ending::Exited(0)));
}

#[test]
fn the_oldest_result_makes_way_for_a_new_program() {
    let mut table = table();
    let pids: Vec<i32> = (0..MAX_PROCESSES).map(|_| table.start(Output::Discard).unwrap()).collect();
    assert_eq!(table.start(Output::Discard), Err(Refusal::Failed(Errno::EAGAIN)), "all of them run");
    table.end(pids[7]);
    table.tend();
    table.end(pids[3]);
    assert!(table.start(Output::Discard).is_ok(), "the end of a program is noticed when it matters");
    assert_eq!(table.processes.status(&table.gate, "exec", pids[7]), Err(UnknownProcess), "it was over first");
    assert_eq!(table.ending(pids[3]), Some(Ending::Exited(0)));
    assert_eq!(table.ending(pids[0]), None);
}

#[test]
fn output_of_all_programs_is_bounded_and_what_is_forgotten_makes_room() {
    let mut table = table();
    table.processes.most = 10;
    let (first, second) = (table.start(Output::Capture).unwrap(), table.start(Output::Capture).unwrap());
    table.system.print(first, b"12345678");
    table.tend();
    table.system.print(second, b"abcd");
    table.end(second);
    let progress = table.processes.status(&table.gate, "exec", second).unwrap();
    assert_eq!(progress.stdout, Captured { length: 2, truncated: true });
    table.processes.forget("exec", second).unwrap();
    assert_eq!(table.processes.held, 8);
    table.end(first);
    table.tend();
    table.processes.forget("exec", first).unwrap();
    assert_eq!(table.processes.held, 0);
}

#[test]
fn a_number_that_is_given_again_is_the_new_programs() {
    let mut table = table();
    let old = table.start(Output::Capture).unwrap();
    table.system.print(old, b"old");
    table.end(old);
    table.tend();
    table.system.set_next_pid(old);
    assert_eq!(table.start(Output::Capture).unwrap(), old);
    assert_eq!(table.ending(old), None);
    assert_eq!(table.processes.read("exec", old, Which::Stdout, 0, 10).unwrap(), b"");
    assert_eq!(table.processes.held, 0);
}

#[test]
fn what_was_not_started_is_not_known() {
    let mut table = table();
    let broken = Spawn { path: b"/bin/broken".to_vec(), ..program(true, Output::Capture) };
    let refused = table.processes.start(&table.gate, "exec", broken, Pieces::default());
    assert_eq!(refused, Err(Refusal::Failed(Errno::ENOEXEC)));
    let denied = table.processes.start(&table.gate, "file", program(false, Output::Discard), Pieces::default());
    assert!(matches!(denied, Err(Refusal::Denied)));
    assert!(table.processes.children.is_empty());
}

/// When the next program has to end, as one who sleeps until then would learn it.
fn next_deadline(table: &mut Table) -> Option<Instant> {
    match table.processes.poll_deadline(None, &Context::from_waker(Waker::noop())) {
        Poll::Ready(next) => next,
        Poll::Pending => None,
    }
}

#[test]
fn a_program_whose_time_is_up_is_killed_with_its_group() {
    let mut table = under_rules("time-limit = \"60s\"", "");
    let begin = Instant::now();
    let pid = table.start(Output::Capture).unwrap();
    let deadline = next_deadline(&mut table).unwrap();
    assert!((begin + Duration::from_secs(60)..begin + Duration::from_secs(70)).contains(&deadline));
    table.processes.end_overdue(&table.gate, deadline - Duration::from_millis(1));
    assert_eq!(table.ending(pid), None, "not a moment early");
    table.processes.end_overdue(&table.gate, deadline);
    assert_eq!(next_deadline(&mut table), None, "nobody waits for it any more");
    assert_eq!(table.ending(pid), Some(Ending::Killed(9)));
    let killed = format!("kill group {pid}");
    assert_eq!(table.system.events()[1], killed);
}

#[test]
fn what_a_program_with_a_time_limit_leaves_behind_ends_with_it() {
    let mut table = under_rules("time-limit = \"60s\"", "");
    let pid = table.start(Output::Capture).unwrap();
    table.system.print(pid, b"done");
    table.system.end(pid, Ending::Exited(0));
    // Something that it has started holds its output open.
    table.tend();
    assert_eq!(table.system.events(), ["execute /bin/it in its own group", "kill group 1"]);
    let progress = table.processes.status(&table.gate, "exec", pid).unwrap();
    assert_eq!((progress.ending, progress.stdout.length), (Some(Ending::Exited(0)), 4), "its own end, and all it said");
    table.processes.end_overdue(&table.gate, Instant::now() + Duration::from_secs(100));
    assert_eq!(table.system.events().len(), 2, "its number may be another's by now");
}

#[test]
fn without_a_time_limit_nobody_is_killed_or_sleeps() {
    let mut table = under_rules("", "");
    let pid = table.start(Output::Capture).unwrap();
    assert_eq!(next_deadline(&mut table), None);
    table.processes.end_overdue(&table.gate, Instant::now() + Duration::from_secs(1 << 20));
    table.end(pid);
    assert_eq!(table.ending(pid), Some(Ending::Exited(0)));
    assert_eq!(table.system.events(), ["execute /bin/it"]);
}

#[test]
fn the_first_deadline_counts_and_whoever_sleeps_is_woken_for_it() {
    struct Flag(std::sync::atomic::AtomicBool);
    impl std::task::Wake for Flag {
        fn wake(self: std::sync::Arc<Self>) {
            self.0.store(true, std::sync::atomic::Ordering::Relaxed);
        }
    }
    let mut table = under_rules("time-limit = \"60s\"", "");
    let flag = std::sync::Arc::new(Flag(false.into()));
    let waker = flag.clone().into();
    let sleep = |table: &mut Table, known| table.processes.poll_deadline(known, &Context::from_waker(&waker));
    assert_eq!(sleep(&mut table, None), Poll::Pending);
    let first = table.start(Output::Discard).unwrap();
    assert!(flag.0.load(std::sync::atomic::Ordering::Relaxed), "there is something to wait for");
    let Poll::Ready(known) = sleep(&mut table, None) else { panic!("there is a deadline") };
    let second = table.start(Output::Discard).unwrap();
    assert_eq!(sleep(&mut table, known), Poll::Pending, "the second comes later");
    table.end(first);
    table.tend();
    let Poll::Ready(Some(later)) = sleep(&mut table, known) else { panic!("the second is left") };
    assert!(Some(later) >= known);
    table.processes.end_overdue(&table.gate, later);
    assert_eq!(table.ending(second), Some(Ending::Killed(9)));
}

#[test]
fn of_each_stream_as_much_is_kept_as_the_rule_says() {
    let mut table = under_rules("output-limit = \"5B\"", "");
    let pid = table.start(Output::Capture).unwrap();
    table.system.print(pid, b"12345678");
    table.end(pid);
    let progress = table.processes.status(&table.gate, "exec", pid).unwrap();
    assert_eq!(progress.stdout, Captured { length: 5, truncated: true });
    assert_eq!(table.processes.read("exec", pid, Which::Stdout, 0, 10).unwrap(), b"12345");
    assert_eq!(table.processes.held, 5);
}

#[test]
fn what_is_held_of_all_is_what_the_policy_says() {
    let mut table = under_rules("", "[[limit]]\nmodules = [\"exec\"]\nbuffers = \"4B\"\n");
    let has_room = |table: &Table, count| table.processes.has_room_for_input(&table.gate, "exec", count);
    assert!(has_room(&table, 4) && !has_room(&table, 5));
    let pid = table.start(Output::Capture).unwrap();
    table.system.print(pid, b"123456");
    table.end(pid);
    let progress = table.processes.status(&table.gate, "exec", pid).unwrap();
    assert_eq!(progress.stdout, Captured { length: 4, truncated: true });
    assert!(!has_room(&table, 1));
}

#[test]
fn a_module_has_as_many_programs_as_the_policy_lets_it() {
    let mut table = under_rules("", "[[limit]]\nchildren = 2\n");
    let first = table.start(Output::Discard).unwrap();
    assert!(table.start(Output::Discard).is_ok());
    assert_eq!(table.start(Output::Discard), Err(Refusal::Failed(Errno::EAGAIN)));
    assert_eq!(table.system.events().len(), 2, "it was not even asked for");
    table.end(first);
    assert!(table.start(Output::Discard).is_ok(), "what has ended is none, though nobody asked for its result");
    table.gate.set_policy(Rc::new(policy("", "[[limit]]\nchildren = 0\n")));
    assert_eq!(table.start(Output::Discard), Err(Refusal::Failed(Errno::EAGAIN)));
    table.gate.set_policy(Rc::new(policy("", "")));
    assert!(table.start(Output::Discard).is_ok());
}

#[test]
fn a_program_runs_on_as_it_was_started_when_the_policy_changes() {
    let mut table = under_rules("time-limit = \"60s\"\noutput-limit = \"5B\"", "");
    let pid = table.start(Output::Capture).unwrap();
    let deadline = next_deadline(&mut table).unwrap();
    table.gate.set_policy(Rc::new(crate::policy_files::profile("full")));
    table.system.print(pid, b"12345678");
    table.processes.end_overdue(&table.gate, deadline);
    let progress = table.processes.status(&table.gate, "exec", pid).unwrap();
    assert_eq!(progress.stdout, Captured { length: 5, truncated: true });
    assert_eq!(progress.ending, Some(Ending::Killed(9)));
}
