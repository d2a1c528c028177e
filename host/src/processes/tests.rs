use super::*;
use bulkhead_gate::{Output, ProgramError};
use bulkhead_sys::Fake;

/// A table in front of a system that pretends, where `/bin/it` is a program.
struct Table {
    system: Fake,
    gate: Gate,
    processes: Processes,
}

fn table() -> Table {
    let system = Fake::default();
    system.install("/bin/it", Ok(()));
    system.install("/bin/broken", Err(ProgramError::NotStarted(Errno::ENOEXEC)));
    let gate = Gate::new(Box::new(system.clone()), None);
    Table { system, gate, processes: Processes::default() }
}

fn program(input: bool, output: Output) -> Spawn {
    Spawn {
        path: b"/bin/it".to_vec(),
        arguments: vec![b"it".to_vec()],
        environment: None,
        input,
        stdout: output,
        stderr: output,
    }
}

impl Table {
    fn start(&mut self, output: Output) -> Result<i32, GateError<Errno>> {
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
    assert!(table.processes.has_room_for_input(WAITING_INPUT - (1 << 20)));
    assert!(!table.processes.has_room_for_input(WAITING_INPUT), "a pipe's content is the system's");
    table.end(idle);
    table.tend();
    assert!(table.processes.has_room_for_input(WAITING_INPUT), "what nobody reads any more is dropped");
    assert_eq!(table.ending(idle), Some(Ending::Exited(0)));
}

#[test]
fn the_oldest_result_makes_way_for_a_new_program() {
    let mut table = table();
    let pids: Vec<i32> = (0..MAX_PROCESSES).map(|_| table.start(Output::Discard).unwrap()).collect();
    assert_eq!(table.start(Output::Discard), Err(GateError::Failed(Errno::EAGAIN)), "all of them run");
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
    table.processes.room = 10;
    let (first, second) = (table.start(Output::Capture).unwrap(), table.start(Output::Capture).unwrap());
    table.system.print(first, b"12345678");
    table.tend();
    table.system.print(second, b"abcd");
    table.end(second);
    let progress = table.processes.status(&table.gate, "exec", second).unwrap();
    assert_eq!(progress.stdout, Captured { length: 2, truncated: true });
    table.processes.forget("exec", second).unwrap();
    assert_eq!(table.processes.room, 2);
    table.end(first);
    table.tend();
    table.processes.forget("exec", first).unwrap();
    assert_eq!(table.processes.room, 10);
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
    assert_eq!(table.processes.room, OUTPUT);
}

#[test]
fn what_was_not_started_is_not_known() {
    let mut table = table();
    let broken = Spawn { path: b"/bin/broken".to_vec(), ..program(true, Output::Capture) };
    let refused = table.processes.start(&table.gate, "exec", broken, Pieces::default());
    assert_eq!(refused, Err(GateError::Failed(Errno::ENOEXEC)));
    let denied = table.processes.start(&table.gate, "file", program(false, Output::Discard), Pieces::default());
    assert!(matches!(denied, Err(GateError::Denied { .. })));
    assert!(table.processes.children.is_empty());
}
