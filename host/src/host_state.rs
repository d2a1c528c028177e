//! What outlives a request, in one place: compartments come and go, this stays.

use crate::auditing::Audit;
use crate::counts::Counts;
use crate::enabled::{Because, Enabled};
use crate::handles::Handles;
use crate::logging::LogHold;
use crate::processes::Processes;
use crate::ruling::Lists;
use crate::ruling::{self, Ruling};
use crate::state::{State, StateError};
use bulkhead_catalog::commands::{Catalog, Command};
use bulkhead_gate::{Errno, Gate, GateError, HookPhase, MountError, MountId};
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

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
    /// The owner's lists.
    pub lists: Lists,
    /// How much was asked.
    pub counts: Counts,
    catalog: Catalog,
    /// Modules that could not be loaded.
    broken_modules: Vec<&'static str>,
    /// What guest-info was told last.
    enabled: Option<Enabled>,
    state: State,
    log: LogHold,
    audit: Audit,
    /// What was frozen since the frozen state began, in order.
    frozen_here: Vec<Vec<u8>>,
    /// What waits for the thaw.
    once_thawed: Vec<OnceThawed>,
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
        let (handles, broken_modules, frozen_here) = (Handles::default(), Vec::new(), Vec::new());
        let processes = Processes::default();
        let audit = Audit::default();
        HostState {
            gate,
            handles,
            processes,
            lists,
            counts: Counts::default(),
            catalog: Catalog::built_in(),
            broken_modules,
            enabled: None,
            state,
            log,
            audit,
            frozen_here,
            once_thawed: Vec::new(),
        }
    }

    /// The commands that there are.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// From now on these are there. Modules that could not be loaded get another chance.
    pub fn set_catalog(&mut self, catalog: Catalog) {
        self.catalog = catalog;
        self.broken_modules.clear();
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

    /// Whether `command` may run now. `calls` tells how often it came within a time until now.
    pub fn rule(&self, command: &Command, calls: impl Fn(Duration) -> u32) -> Ruling {
        // A thaw is done without its module if need be.
        let must_thaw = self.is_frozen() && ruling::is_thaw(command.name);
        if !must_thaw && self.broken_modules.contains(&command.module) {
            return Ruling::broken();
        }
        Ruling::of(command, self.is_frozen(), &self.lists, &self.gate.policy(), calls)
    }

    /// For each command of the catalog, in its order, whether it would run if it came now and were the first of its kind.
    pub fn enabled(&mut self) -> &[bool] {
        let policy = self.gate.policy();
        let because = Because {
            policy: &policy,
            catalog: &self.catalog,
            lists: &self.lists,
            frozen: self.is_frozen(),
            broken: self.broken_modules.len(),
        };
        let known = self.enabled.take().filter(|known| known.holds(&because));
        let known = known.unwrap_or_else(|| Enabled::new(&because, |command| self.rule(command, |_| 0).permits()));
        self.enabled.insert(known).commands()
    }

    /// `module` cannot be loaded, and will not be: from now on guest-info tells the truth about its commands.
    pub fn set_broken(&mut self, module: &'static str) {
        if !self.broken_modules.contains(&module) {
            self.broken_modules.push(module);
        }
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
