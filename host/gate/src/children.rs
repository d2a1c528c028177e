//! Programs that the gate has started, until they have been waited for. Whoever asks names one by a number that was given when it
//! was started: never by a process id, which could be anybody's.

use crate::{Ending, Errno, Gate};
use std::collections::HashMap;

/// Which program, of those that were started. A number is given once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ChildNumber(u64);

/// Those that were not waited for yet.
#[derive(Debug, Default)]
pub(crate) struct Children {
    given: u64,
    running: HashMap<ChildNumber, Running>,
}

#[derive(Clone, Copy, Debug)]
struct Running {
    pid: i32,
    leads_group: bool,
}

impl Children {
    /// A program was started.
    pub(crate) fn add(&mut self, pid: i32, leads_group: bool) -> ChildNumber {
        self.given += 1;
        let number = ChildNumber(self.given);
        self.running.insert(number, Running { pid, leads_group });
        number
    }
}

// No grant is asked for: it is the host that waits for what it has started, and ends it when a rule's time is up.
impl Gate {
    /// Whether a program has ended. Its process id stays its own until it is waited for.
    pub fn has_ended(&self, number: ChildNumber) -> Result<bool, Errno> {
        self.system.has_ended(self.child(number)?.pid)
    }

    /// Ends a program with a time limit, and whatever is left of its group, before it is waited for. `EPERM` for one that has no
    /// group of its own.
    pub fn end_group(&self, number: ChildNumber) -> Result<(), Errno> {
        let Running { pid, leads_group } = self.child(number)?;
        if leads_group { self.system.kill_group(pid) } else { Err(Errno::EPERM) }
    }

    /// How a program ended; nothing while it runs. It is told once: then the number is nobody's.
    pub fn reap(&self, number: ChildNumber) -> Result<Option<Ending>, Errno> {
        let ended = self.system.reap(self.child(number)?.pid);
        // Any other error will stay: somebody else has waited for it.
        if !matches!(ended, Ok(None) | Err(Errno::EINTR)) {
            self.children.borrow_mut().running.remove(&number);
        }
        ended
    }

    /// `ECHILD` if it was waited for, or never started.
    fn child(&self, number: ChildNumber) -> Result<Running, Errno> {
        self.children.borrow().running.get(&number).copied().ok_or(Errno::ECHILD)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Manner, Output, Spawn, testing};
    use bulkhead_sys::Fake;

    fn started(gate: &Gate) -> (ChildNumber, i32) {
        let program = Spawn {
            path: b"/bin/it".to_vec(),
            arguments: vec![b"it".to_vec()],
            environment: None,
            input: false,
            stdout: Output::Discard,
            stderr: Output::Discard,
            manner: Manner::default(),
        };
        let started = gate.spawn("exec", program).unwrap();
        (started.number, started.spawned.pid)
    }

    #[test]
    fn a_child_is_waited_for_once_and_nobody_elses_is() {
        let system = Fake::default();
        system.install("/bin/it", Ok(()));
        let (gate, other) = (testing::full(&system), testing::full(&system));
        let (number, pid) = started(&gate);
        assert_eq!((gate.has_ended(number), gate.reap(number)), (Ok(false), Ok(None)));
        assert_eq!(gate.end_group(number), Err(Errno::EPERM), "it has no group of its own");
        assert_eq!(other.reap(number), Err(Errno::ECHILD), "another has started it");
        system.end(pid, Ending::Exited(3));
        assert_eq!(gate.reap(number), Ok(Some(Ending::Exited(3))));
        assert_eq!(
            [gate.reap(number).err(), gate.has_ended(number).err(), gate.end_group(number).err()],
            [Some(Errno::ECHILD); 3]
        );
        assert_ne!(started(&gate).0, number);
    }
}
