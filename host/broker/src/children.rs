//! Programs that were started and go on while the agent does other things (guest-exec).
//!
//! A child is known by its process id until a client has asked for its result or another process has the id. Its pipes never
//! block: what is ready is moved by [`Children::status`], so that a client always sees the newest state, and by
//! `tending`, so that a child does not wait for clients. When the agent ends, its children go on.

mod child;
mod pieces;

pub use child::STREAM;
pub use pieces::Pieces;

use bulkhead_border::processes::{Captured, Progress, Which};
use bulkhead_border::{Errno, Refusal};
use bulkhead_gate::{Gate, Spawn, Started};
use bulkhead_sys::{Readiness, Wanted};
use child::{Child, Input, Stream};
use pieces::PIECE;
use std::collections::HashMap;
use std::io;
use std::task::{Context, Poll, Waker};
use std::time::Instant;
use thiserror::Error;

/// How many programs are known at once, running or over and not asked for. It bounds what a client that never asks makes the
/// agent remember. One more drops the result that is the oldest; if all are running, it is not started.
pub const MAX_PROCESSES: usize = 1024;

/// How much of all programs is held together, in bytes, unless the owner's policy says otherwise: output that is kept, and input
/// that waits to be read. It bounds the agent's memory where many programs print much and nobody asks, or are given much and do
/// not read. Beyond, output is lost as it is beyond [`STREAM`], and no further program is given any input. Two programs may fill
/// both their streams.
pub const HELD: usize = 64 * 1024 * 1024;

/// How much input one program can be given, in bytes. A request holds less: all its tokens together have 64 MiB, and that
/// is base64.
pub const INPUT: usize = 64 * 1024 * 1024;

/// The module of guest-exec.
const EXEC: &str = "exec";

/// The table.
#[derive(Debug)]
pub struct Children {
    children: HashMap<i32, Child>,
    /// The pipes of all of them. Made when it is first needed.
    readiness: Option<Readiness>,
    /// What pipes are read into, on the way to where it is kept.
    buffer: Vec<u8>,
    /// How much is held of all of them, in bytes.
    held: usize,
    /// How much may be, where no policy says so.
    most: usize,
    /// How many programs have been over so far.
    over: u64,
    /// Who sleeps until the first of the programs with a time limit has to end.
    sleeper: Option<Waker>,
}

/// How many programs are known, and what the agent holds for them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Programs that run, or whose end nobody has asked for yet.
    pub known: u64,
    /// Their input that waits and their output that nobody has fetched, in bytes.
    pub held: u64,
    /// How much that may become for the programs of guest-exec, in bytes.
    pub most: u64,
}

/// No program of this module has the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("unknown process")]
pub struct UnknownProcess;

impl Default for Children {
    fn default() -> Self {
        let (children, buffer) = (HashMap::new(), vec![0; PIECE]);
        Children { children, readiness: None, buffer, held: 0, most: HELD, over: 0, sleeper: None }
    }
}

impl Children {
    /// The pipes of all programs, to be watched.
    pub fn readiness(&mut self) -> io::Result<&Readiness> {
        match &mut self.readiness {
            Some(readiness) => Ok(readiness),
            none => Ok(none.insert(Readiness::new()?)),
        }
    }

    /// How many programs there are, and what is held for them.
    pub fn figures(&self, gate: &Gate) -> Figures {
        let [known, held, most] = [self.children.len(), self.held, self.most_for(gate, EXEC)].map(|it| it as u64);
        Figures { known, held, most }
    }

    /// Whether `count` more bytes of input for programs of `module` may wait.
    pub fn has_room_for_input(&self, gate: &Gate, module: &str, count: usize) -> bool {
        self.held.saturating_add(count) <= self.most_for(gate, module)
    }

    /// How much may be held of all programs before one of `module` gets no more.
    fn most_for(&self, gate: &Gate, module: &str) -> usize {
        let said = gate.policy().limits(module).buffers;
        said.map_or(self.most, |bytes| usize::try_from(bytes).unwrap_or(usize::MAX))
    }

    /// Starts a program for `module`, with `input` to read if the program takes input. Gives its number; `EAGAIN` if as many
    /// of the module's programs run as the policy lets it have, or as can be known.
    pub fn start(
        &mut self,
        gate: &Gate,
        module: &'static str,
        program: Spawn,
        input: Pieces,
    ) -> Result<i32, Refusal<Errno>> {
        self.check_children(gate, module)?;
        self.make_room(gate)?;
        let errno = |error: io::Error| error.raw_os_error().map_or(Errno::EIO, Errno::from_raw);
        self.readiness().map_err(errno)?;
        let Started { number, spawned, time_limit, output_limit } = gate.spawn(module, program)?;
        let pid = spawned.pid;
        let limit = output_limit.unwrap_or(STREAM);
        let child = Child {
            number,
            module,
            input: spawned.stdin.map(|pipe| Input::new(pipe, input)),
            stdout: Stream::new(spawned.stdout, limit),
            stderr: Stream::new(spawned.stderr, limit),
            // One that is too long to be told is none.
            deadline: time_limit.and_then(|limit| Instant::now().checked_add(limit)),
            leads_group: time_limit.is_some(),
            most: self.most_for(gate, module),
            ending: None,
            over: None,
        };
        if let Err(error) = self.watch(&child, pid) {
            // It runs already. Its pipes move when a client asks for it.
            tracing::warn!("cannot watch the pipes of process {pid}: {error}");
        }
        // An older program with this number has ended and was waited for: the number could not be given again before.
        self.remove(pid);
        if child.deadline.is_some() {
            self.sleeper.take().into_iter().for_each(Waker::wake);
        }
        self.held += child.held();
        self.children.insert(pid, child);
        self.pump(pid);
        Ok(pid)
    }

    /// How the program is going, at this moment.
    pub fn status(&mut self, gate: &Gate, module: &str, pid: i32) -> Result<Progress, UnknownProcess> {
        self.get(module, pid)?;
        // First its end, then its pipes: what it printed before its end is in them.
        self.reap_one(gate, pid);
        self.pump(pid);
        let child = self.get(module, pid)?;
        let captured = |stream: &Stream| Captured { length: stream.kept.len(), truncated: stream.truncated };
        Ok(Progress {
            ending: child.ending.filter(|_| child.is_over()),
            stdout: captured(&child.stdout),
            stderr: captured(&child.stderr),
        })
    }

    /// Bytes `offset ..< offset + length` of a stream, fewer at its end.
    pub fn read(
        &self,
        module: &str,
        pid: i32,
        which: Which,
        offset: usize,
        length: usize,
    ) -> Result<Vec<u8>, UnknownProcess> {
        let child = self.get(module, pid)?;
        let stream = match which {
            Which::Stdout => &child.stdout,
            Which::Stderr => &child.stderr,
        };
        Ok(stream.kept.read(offset, length))
    }

    /// Forgets a program that is over.
    pub fn forget(&mut self, module: &str, pid: i32) -> Result<(), UnknownProcess> {
        if self.get(module, pid)?.is_over() {
            self.remove(pid);
        }
        Ok(())
    }

    /// Moves what can be moved through the pipes that are ready now; true if there may be more.
    pub fn pump_ready(&mut self) -> bool {
        let owners = self.readiness.as_ref().map(Readiness::owners).unwrap_or_default();
        for pid in owners.iter().filter_map(|owner| i32::try_from(*owner).ok()) {
            self.pump(pid);
        }
        !owners.is_empty()
    }

    /// Waits, without waiting long, for every program that is not known to have ended.
    pub fn reap(&mut self, gate: &Gate) {
        let running: Vec<i32> =
            self.children.iter().filter(|(_, child)| child.ending.is_none()).map(|(pid, _)| *pid).collect();
        running.into_iter().for_each(|pid| self.reap_one(gate, pid));
    }

    /// Kills the programs whose time is up by `now`.
    pub fn end_overdue(&mut self, gate: &Gate, now: Instant) {
        let is_overdue = |child: &Child| child.running_until().is_some_and(|deadline| deadline <= now);
        let overdue = self.children.iter_mut().filter(|(_, child)| is_overdue(child));
        overdue.for_each(|(pid, child)| child.end(gate, *pid));
    }

    /// When the next program has to end; tells as soon as that is another moment than `known`.
    pub fn poll_deadline(&mut self, known: Option<Instant>, context: &Context<'_>) -> Poll<Option<Instant>> {
        let next = self.children.values().filter_map(Child::running_until).min();
        if next != known {
            return Poll::Ready(next);
        }
        self.sleeper = Some(context.waker().clone());
        Poll::Pending
    }

    fn get(&self, module: &str, pid: i32) -> Result<&Child, UnknownProcess> {
        self.children.get(&pid).filter(|child| child.module == module).ok_or(UnknownProcess)
    }

    fn watch(&mut self, child: &Child, pid: i32) -> io::Result<()> {
        let owner = u64::from(pid.unsigned_abs());
        let readiness = self.readiness()?;
        for pipe in [&child.stdout.pipe, &child.stderr.pipe].into_iter().flatten() {
            readiness.add(pipe, Wanted::Input, owner)?;
        }
        child.input.as_ref().map_or(Ok(()), |input| readiness.add(input.pipe(), Wanted::Room, owner))
    }

    fn pump(&mut self, pid: i32) {
        if let Some(child) = self.children.get_mut(&pid) {
            let before = child.held();
            child.pump(&mut self.buffer, &mut child.most.saturating_sub(self.held));
            self.held = self.held - before + child.held();
            self.note_whether_over(pid);
        }
    }

    fn reap_one(&mut self, gate: &Gate, pid: i32) {
        if let Some(child) = self.children.get_mut(&pid) {
            child.reap(gate, pid);
            self.note_whether_over(pid);
        }
    }

    fn note_whether_over(&mut self, pid: i32) {
        if let Some(child) = self.children.get_mut(&pid)
            && child.over.is_none()
            && child.is_over()
        {
            self.over += 1;
            child.over = Some(self.over);
        }
    }

    /// Makes sure that the module may have one more program.
    fn check_children(&mut self, gate: &Gate, module: &str) -> Result<(), Errno> {
        let Some(limit) = gate.policy().limits(module).children else { return Ok(()) };
        let running = |table: &Self| {
            let theirs = table.children.values().filter(|child| child.module == module);
            theirs.filter(|child| child.ending.is_none()).count()
        };
        if running(self) >= limit {
            // One may have ended, and nobody has noticed.
            self.reap(gate);
        }
        if running(self) < limit {
            return Ok(());
        }
        tracing::warn!("module {module} has {limit} programs running, and the policy lets it have no more");
        Err(Errno::EAGAIN)
    }

    /// Makes sure that one more program can be known.
    fn make_room(&mut self, gate: &Gate) -> Result<(), Errno> {
        if self.children.len() < MAX_PROCESSES {
            return Ok(());
        }
        self.reap(gate);
        let over = self.children.iter().filter_map(|(pid, child)| Some((child.over?, *pid)));
        let (_, oldest) = over.min().ok_or(Errno::EAGAIN)?;
        tracing::warn!("{MAX_PROCESSES} programs were started and not asked for: the result of {oldest} is dropped");
        self.remove(oldest);
        Ok(())
    }

    fn remove(&mut self, pid: i32) {
        if let Some(child) = self.children.remove(&pid) {
            self.held -= child.held();
        }
    }
}

#[cfg(test)]
mod tests;
