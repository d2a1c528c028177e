//! What the host knows of a running compartment.

use super::broken_rule;
use crate::host_state::{HostState, SharedState};
use crate::processes::Pieces;
use crate::ruling;
use crate::runtime::{Bounds, Timing, limits};
use bulkhead_gate::MountTable;
use bulkhead_protocol::{Request, Success};
use std::cell::{Cell, RefMut};
use std::ops::{Deref, DerefMut};
use std::time::{Duration, Instant};

/// The host's side of one instance: what it may use, the request it answers, the reply as far as it has come.
pub struct Compartment {
    pub(super) module: &'static str,
    pub(crate) bounds: Bounds,
    pub(super) request: Option<Request>,
    pub(super) reply: Success,
    /// Whether the module asked for the sentinel.
    pub(super) delimited: bool,
    pub(super) lines: usize,
    /// The mount table, if the module is in the middle of it.
    pub(super) mounts: Option<MountTable>,
    /// What the program that is about to be started will read.
    pub(super) input: Pieces,
    state: SharedState,
    calls: u32,
    /// Bytes moved for the module, in and out: what it did with them may take time in proportion.
    moved: u64,
    /// Processor time of this thread when the clock was first looked at.
    pub(crate) started: Option<Duration>,
    pub(crate) timing: Timing,
    /// The time that the host has acted for the module; nothing if nobody wants to know.
    acted: Option<Cell<Duration>>,
}

/// What a compartment leaves behind.
pub struct Answered {
    /// The request, given back for its id.
    pub request: Option<Request>,
    /// The reply without its last piece.
    pub reply: Success,
    /// Whether the sentinel is wanted.
    pub delimited: bool,
    /// Where the time went.
    pub timing: Timing,
}

impl Compartment {
    /// For an instance of `module`, with no request yet.
    pub fn new(module: &'static str, state: SharedState) -> Self {
        let bounds = Bounds::of(module, &state.borrow().gate.policy());
        let acted = state.borrow().audit().is_on().then(Cell::default);
        Compartment {
            module,
            bounds,
            request: None,
            reply: Success::default(),
            delimited: false,
            lines: 0,
            mounts: None,
            input: Pieces::default(),
            state,
            calls: 0,
            moved: 0,
            started: None,
            timing: Timing::default(),
            acted,
        }
    }

    /// Gives it the request to answer, whose time begins now. A request to thaw what is frozen has all that the agent itself
    /// would give it, however little the owner's limits leave its module.
    pub fn accept(&mut self, request: Request) {
        if ruling::leads_out(request.execute()) && self.state.borrow().is_frozen() {
            self.bounds.widen();
        }
        self.request = Some(request);
        self.started = None;
    }

    /// The module is not the agent's own: its reply is looked at more closely.
    pub(crate) fn is_installed(&mut self) {
        self.reply = Success::with_unique_keys();
    }

    /// Takes what it leaves. Nothing may run in it any more.
    pub fn finish(&mut self) -> Answered {
        if self.lines > limits::LOG_LINES {
            let lost = self.lines - limits::LOG_LINES;
            tracing::warn!("module {}: {lost} more lines were not logged", self.module);
        }
        let reply = std::mem::take(&mut self.reply);
        let host = self.acted.take().map(Cell::into_inner).unwrap_or_default();
        let (request, delimited, timing) = (self.request.take(), self.delimited, Timing { host, ..self.timing });
        Answered { request, reply, delimited, timing }
    }

    /// The name of the command.
    pub(crate) fn command(&self) -> &str {
        self.request.as_ref().map_or("", Request::execute)
    }

    /// The text of the arguments, in UTF-8.
    pub(crate) fn request_arguments(&self) -> &[u8] {
        self.request.as_ref().map_or(b"{}", Request::argument_bytes)
    }

    /// Every call of a capability begins here: calls are counted, and the bytes they move. An instance that was made ready
    /// before its request has nobody to act for yet.
    pub(super) fn called(&mut self, bytes: usize) -> wasmtime::Result<()> {
        if self.request.is_none() {
            return Err(broken_rule("the module called the host before it was asked anything"));
        }
        self.calls += 1;
        self.brought(bytes);
        if self.calls > limits::HOST_CALLS {
            return Err(broken_rule("the module called the host too often"));
        }
        Ok(())
    }

    /// More bytes than were known when the call began.
    pub(super) fn brought(&mut self, bytes: usize) {
        self.moved += bytes as u64;
    }

    /// How many bytes were moved for the module so far.
    pub(crate) fn moved(&self) -> u64 {
        self.moved
    }

    /// The host's state, to act on: as long as it is held the time is the host's, not the module's.
    pub(super) fn state(&self) -> Acting<'_> {
        Acting { state: self.state.borrow_mut(), clock: self.acted.as_ref().map(|acted| (acted, Instant::now())) }
    }
}

/// The host's state while the host acts for a module.
pub(super) struct Acting<'a> {
    state: RefMut<'a, HostState>,
    clock: Option<(&'a Cell<Duration>, Instant)>,
}

impl Deref for Acting<'_> {
    type Target = HostState;

    fn deref(&self) -> &HostState {
        &self.state
    }
}

impl DerefMut for Acting<'_> {
    fn deref_mut(&mut self) -> &mut HostState {
        &mut self.state
    }
}

impl Drop for Acting<'_> {
    fn drop(&mut self) {
        if let Some((acted, begin)) = self.clock {
            acted.set(acted.get() + begin.elapsed());
        }
    }
}
