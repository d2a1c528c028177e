//! What outlives a request, in one place: compartments come and go, this stays.

use crate::auditing::Audit;
use crate::counts::Counts;
use crate::handles::Handles;
use crate::logging::LogHold;
use crate::processes::Processes;
use crate::rulings::{Lists, Ruling, Rulings};
use crate::state::{State, StateError};
use bulkhead_catalog::commands::{Catalog, Command};
use bulkhead_gate::{Errno, Gate, GateError, HookPhase, Judgements, MountError, MountId, Standing};
use bulkhead_policy::Mode;
use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

/// The host's state, shared by the dispatcher and the compartment that runs. One request runs at a time, on one
/// thread, and a capability holds the borrow only for its own call.
pub type SharedState = Rc<RefCell<HostState>>;

/// What the capabilities work on.
#[derive(Debug)]
pub struct HostState {
    /// The way to everything privileged.
    pub gate: Gate,
    /// Open files.
    pub handles: Handles,
    /// Programs that run on their own.
    pub processes: Processes,
    /// How much was asked.
    pub counts: Counts,
    rulings: Rulings,
    state: State,
    log: LogHold,
    audit: Audit,
    /// What was frozen since the frozen state began, in order.
    frozen_here: Vec<Vec<u8>>,
    /// What waits for the thaw.
    once_thawed: Vec<OnceThawed>,
}

/// A command that a client has named.
#[derive(Clone, Debug)]
pub struct Begun {
    /// It.
    pub command: Command,
    /// Whether it may run.
    pub ruling: Ruling,
    /// Whether it came in the frozen state.
    pub was_frozen: bool,
    /// How many file systems this agent had frozen then.
    pub frozen_before: usize,
}

/// Something that has to wait until disks can be written again.
pub struct OnceThawed(Box<dyn FnOnce()>);

impl std::fmt::Debug for OnceThawed {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("OnceThawed")
    }
}

impl HostState {
    /// A state whose log is written to memory from now on if the agent starts frozen.
    pub fn new(gate: Gate, lists: Lists, state: State, log: LogHold) -> Self {
        if state.is_frozen() {
            log.hold();
        }
        HostState {
            gate,
            handles: Handles::default(),
            processes: Processes::default(),
            counts: Counts::default(),
            rulings: Rulings::new(lists),
            state,
            log,
            audit: Audit::default(),
            frozen_here: Vec::new(),
            once_thawed: Vec::new(),
        }
    }

    /// The commands that there are.
    pub fn catalog(&self) -> &Catalog {
        self.rulings.catalog()
    }

    /// From now on these are there. Modules that could not be loaded get another chance.
    pub fn set_catalog(&mut self, catalog: Catalog) {
        self.rulings.set_catalog(catalog);
    }

    /// From now on what happens is written to `audit`, or kept for it if the agent starts frozen.
    pub fn set_audit(&mut self, audit: Audit) {
        if self.state.is_frozen() {
            audit.hold();
        }
        self.audit = audit;
    }

    /// Where what happens is written.
    pub fn audit(&self) -> &Audit {
        &self.audit
    }

    /// Does `action` when the frozen state ends.
    pub fn once_thawed(&mut self, action: impl FnOnce() + 'static) {
        self.once_thawed.push(OnceThawed(Box::new(action)));
    }

    /// A client names a command. Nothing if there is none of that name. If it may run, a request has begun at the gate, and is judged
    /// as the ruling says until [`HostState::end`].
    pub fn begin(&mut self, name: &str) -> Option<Begun> {
        let command = self.rulings.catalog().find(name)?;
        let was_frozen = self.is_frozen();
        let ruling = self.rulings.on_call(&command, was_frozen, &self.gate.policy());
        if ruling.permits() {
            self.gate.begin(Standing { observe: ruling.mode == Mode::Observe, frozen: was_frozen, exact: false });
        }
        Some(Begun { command, ruling, was_frozen, frozen_before: self.frozen_here.len() })
    }

    /// The request that has begun is over: what the policy said meanwhile.
    pub fn end(&mut self) -> Judgements {
        self.gate.end()
    }

    /// Whether `command` might run now, if it were the first of its kind; nothing counts it.
    pub fn rule(&self, command: &Command) -> Ruling {
        self.rulings.of(command, self.is_frozen(), &self.gate.policy(), |_| 0)
    }

    /// For each command of the catalog, in its order, whether it would run if it came now and were the first of its kind.
    pub fn enabled(&mut self) -> &[bool] {
        self.rulings.enabled(self.state.is_frozen(), &self.gate.policy())
    }

    /// `module` cannot be loaded, and will not be: from now on guest-info tells the truth about its commands.
    pub fn set_broken(&mut self, module: &'static str) {
        self.rulings.set_broken(module);
    }

    /// A handle never given before.
    pub fn next_handle(&mut self) -> Result<i64, StateError> {
        self.state.next_handle()
    }

    /// At the end of the agent: the record of handles becomes exact.
    pub fn close(&mut self) {
        self.state.close();
    }

    /// Waits for programs that have ended.
    pub fn reap_processes(&mut self) {
        self.processes.reap(&self.gate);
    }

    /// Whether the agent is in the frozen state.
    pub fn is_frozen(&self) -> bool {
        self.state.is_frozen()
    }

    /// Enters the frozen state: on record, then quiet. From here on nothing may write to a disk.
    pub fn begin_freeze(&mut self) -> Result<(), StateError> {
        self.state.set_frozen()?;
        self.log.hold();
        self.audit.hold();
        self.frozen_here.clear();
        Ok(())
    }

    /// Freezes one file system and remembers it, for [`HostState::abandon_freeze`].
    pub fn freeze(
        &mut self,
        module: &str,
        mount_point: &[u8],
        is: Option<MountId>,
    ) -> Result<(), GateError<MountError>> {
        self.gate.freeze(module, mount_point, is)?;
        self.frozen_here.push(mount_point.to_vec());
        Ok(())
    }

    /// Thaws one file system, once.
    pub fn thaw(&mut self, module: &str, mount_point: &[u8]) -> Result<(), GateError<MountError>> {
        let done = self.gate.thaw(module, mount_point);
        // One that was not frozen any more, somebody else has thawed.
        if matches!(done, Ok(()) | Err(GateError::Failed(MountError::Failed(Errno::EINVAL)))) {
            self.frozen_here.retain(|frozen| frozen != mount_point);
        }
        done
    }

    /// The mount points of what was frozen since the frozen state began and is not thawed, in order.
    pub fn frozen_here(&self) -> &[Vec<u8>] {
        &self.frozen_here
    }

    /// Leaves the frozen state.
    pub fn end_freeze(&mut self) {
        if let Err(error) = self.state.set_thawed() {
            tracing::warn!("{error}: an agent that is started now is frozen until it is told to thaw");
        }
        self.frozen_here.clear();
        self.log.release();
        self.audit.release();
        for OnceThawed(action) in std::mem::take(&mut self.once_thawed) {
            action();
        }
    }

    /// Undoes a freeze whose command failed: a module that broke in the middle of it cannot do so itself, and the
    /// client, who got an error, believes that nothing is frozen. The same for a thaw whose command failed. Gives how many
    /// could not be thawed.
    pub fn abandon_freeze(&mut self, module: &str) -> usize {
        let mut left = 0;
        for mount_point in std::mem::take(&mut self.frozen_here).into_iter().rev() {
            if let Err(error) = self.gate.thaw(module, &mount_point) {
                tracing::error!("cannot thaw {}: {error:?}", String::from_utf8_lossy(&mount_point));
                left += 1;
            }
        }
        self.end_freeze();
        if let Err(error) = self.gate.run_hook(module, HookPhase::Thaw) {
            tracing::error!("the freeze hook failed to thaw: {error}");
        }
        left
    }
}

/// Waits until no file system is frozen.
pub(crate) async fn thawed(state: &SharedState) {
    let is_asked = Rc::new(Cell::new(false));
    poll_fn(|context| {
        let mut state = state.borrow_mut();
        if !state.is_frozen() {
            return Poll::Ready(());
        }
        if !is_asked.replace(true) {
            let (is_asked, waker) = (Rc::clone(&is_asked), context.waker().clone());
            state.once_thawed(move || {
                is_asked.set(false);
                waker.wake();
            });
        }
        Poll::Pending
    })
    .await;
}
