//! `freezer`: one file system at a time, and the frozen state around them.

use super::interface::freezer::{HookPhase, Host};
use super::interface::types::{ErrorCode, MountError, Mounted, ProgramError};
use super::{Compartment, errno, mount_id};
use crate::state::StateError;
use bulkhead_gate::MountId;

impl Host for Compartment {
    fn frozen(&mut self) -> wasmtime::Result<bool> {
        self.called(0)?;
        Ok(self.state().is_frozen())
    }

    fn run_hook(&mut self, phase: HookPhase) -> wasmtime::Result<Result<(), ProgramError>> {
        self.called(0)?;
        let phase = match phase {
            HookPhase::Freeze => bulkhead_gate::HookPhase::Freeze,
            HookPhase::Thaw => bulkhead_gate::HookPhase::Thaw,
        };
        let path = self.state().gate.hook().map(|path| path.to_string_lossy().into_owned()).unwrap_or_default();
        let ran = self.at_length(|it| it.state().gate.run_hook(it.module, phase))?;
        Ok(ran.map_err(|error| errno::program(error, &path)))
    }

    fn begin(&mut self) -> wasmtime::Result<Result<(), ErrorCode>> {
        self.called(0)?;
        let mut state = self.state();
        if let Err(error) = state.gate.may_freeze(self.module) {
            return Ok(Err(errno::code(error)));
        }
        Ok(state.begin_freeze().map_err(|error| state_error(&error)))
    }

    fn freeze(&mut self, mount_point: Vec<u8>) -> wasmtime::Result<Result<(), MountError>> {
        self.freeze_just(&mount_point, None)
    }

    fn freeze_mounted(&mut self, it: Mounted) -> wasmtime::Result<Result<(), MountError>> {
        let id = mount_id(&it);
        self.freeze_just(&it.mount_point, Some(id))
    }

    fn thaw(&mut self, mount_point: Vec<u8>) -> wasmtime::Result<Result<(), MountError>> {
        self.called(mount_point.len())?;
        self.at_length(|it| it.state().thaw(it.module, &mount_point).map_err(errno::mount))
    }

    fn frozen_here(&mut self) -> wasmtime::Result<Vec<Vec<u8>>> {
        self.called(0)?;
        Ok(self.state().frozen_here().to_vec())
    }

    fn end(&mut self) -> wasmtime::Result<Result<(), ErrorCode>> {
        self.called(0)?;
        self.state().end_freeze();
        Ok(Ok(()))
    }
}

impl Compartment {
    fn freeze_just(&mut self, mount_point: &[u8], is: Option<MountId>) -> wasmtime::Result<Result<(), MountError>> {
        self.called(mount_point.len())?;
        if !self.state().is_frozen() {
            return Ok(Err(MountError::Failed(ErrorCode::NotPermitted)));
        }
        self.at_length(|it| it.state().freeze(it.module, mount_point, is).map_err(errno::mount))
    }
}

fn state_error(error: &StateError) -> ErrorCode {
    tracing::error!("{error}");
    match error {
        StateError::Unwritable { reason, .. } => errno::io(reason),
        StateError::Exhausted => ErrorCode::Io,
    }
}
