//! `freezer`, and the frozen state around it: on record, in the log's memory, and undone by the broker itself if a module fails.

use super::calls::Asked;
use super::{Broker, SharedBroker};
use crate::state::StateError;
use bulkhead_border::freezer::HookPhase;
use bulkhead_border::{Errno, Freezer, MountError, MountId, ProgramFailure, Refusal};
use std::cell::Cell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

/// Something that has to wait until disks can be written again.
pub(super) struct OnceThawed(Box<dyn FnOnce()>);

impl std::fmt::Debug for OnceThawed {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("OnceThawed")
    }
}

impl Freezer for Asked<'_> {
    fn frozen(&mut self) -> bool {
        self.broker.is_frozen()
    }

    fn run_hook(&mut self, phase: HookPhase) -> Result<(), Refusal<ProgramFailure>> {
        self.broker.gate.run_hook(self.module, phase)
    }

    /// On record, then quiet. From here on nothing may write to a disk.
    fn begin(&mut self) -> Result<(), Refusal<Errno>> {
        self.broker.gate.may_freeze(self.module)?;
        self.broker.state.set_frozen().map_err(|error| errno(&error))?;
        self.broker.log.hold();
        self.broker.audit.hold();
        self.broker.frozen_here.clear();
        Ok(())
    }

    fn freeze(&mut self, mount_point: Vec<u8>, is: Option<MountId>) -> Result<(), Refusal<MountError>> {
        if !self.broker.is_frozen() {
            return Err(Refusal::Failed(MountError::Failed(Errno::EPERM)));
        }
        self.broker.gate.freeze(self.module, &mount_point, is)?;
        self.broker.frozen_here.push(mount_point);
        Ok(())
    }

    fn thaw(&mut self, mount_point: Vec<u8>) -> Result<(), Refusal<MountError>> {
        let done = self.broker.gate.thaw(self.module, &mount_point);
        // One that was not frozen any more, somebody else has thawed.
        if matches!(done, Ok(()) | Err(Refusal::Failed(MountError::Failed(Errno::EINVAL)))) {
            self.broker.frozen_here.retain(|frozen| *frozen != mount_point);
        }
        done
    }

    fn frozen_here(&mut self) -> Vec<Vec<u8>> {
        self.broker.frozen_here.clone()
    }

    fn end(&mut self) {
        self.broker.end_freeze();
    }
}

impl Broker {
    /// Whether the agent is in the frozen state.
    pub fn is_frozen(&self) -> bool {
        self.state.is_frozen()
    }

    /// Does `action` when the frozen state ends.
    pub fn once_thawed(&mut self, action: impl FnOnce() + 'static) {
        self.once_thawed.push(OnceThawed(Box::new(action)));
    }

    fn end_freeze(&mut self) {
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
    pub(super) fn abandon_freeze(&mut self, module: &str) -> usize {
        let mut left = 0;
        for mount_point in std::mem::take(&mut self.frozen_here).into_iter().rev() {
            if let Err(error) = self.gate.thaw(module, &mount_point) {
                tracing::error!("cannot thaw {}: {error:?}", String::from_utf8_lossy(&mount_point));
                left += 1;
            }
        }
        self.end_freeze();
        // A thaw's is never denied.
        if let Err(Refusal::Failed(failure)) = self.gate.run_hook(module, HookPhase::Thaw) {
            tracing::error!("the freeze hook failed to thaw: {}", failure.why);
        }
        left
    }
}

fn errno(error: &StateError) -> Errno {
    tracing::error!("{error}");
    match error {
        StateError::Unwritable { reason, .. } => reason.raw_os_error().map_or(Errno::EIO, Errno::from_raw),
        StateError::Exhausted => Errno::EIO,
    }
}

/// Waits until no file system is frozen.
pub async fn thawed(broker: &SharedBroker) {
    let is_asked = Rc::new(Cell::new(false));
    poll_fn(|context| {
        let mut broker = broker.borrow_mut();
        if !broker.is_frozen() {
            return Poll::Ready(());
        }
        if !is_asked.replace(true) {
            let (is_asked, waker) = (Rc::clone(&is_asked), context.waker().clone());
            broker.once_thawed(move || {
                is_asked.set(false);
                waker.wake();
            });
        }
        Poll::Pending
    })
    .await;
}
