//! `freezer`: one file system at a time, and the frozen state around them.

use super::interface::freezer::{HookPhase, Host};
use super::interface::types::{ErrorCode, MountError, Mounted, ProgramError};
use super::{Compartment, errno, mount_id};
use bulkhead_border::{Freezer, MountId, freezer};

impl Host for Compartment {
    fn frozen(&mut self) -> wasmtime::Result<bool> {
        self.called(0)?;
        Ok(self.broker().frozen())
    }

    fn run_hook(&mut self, phase: HookPhase) -> wasmtime::Result<Result<(), ProgramError>> {
        self.called(0)?;
        let phase = match phase {
            HookPhase::Freeze => freezer::HookPhase::Freeze,
            HookPhase::Thaw => freezer::HookPhase::Thaw,
        };
        self.at_length(|it| it.broker().run_hook(phase).map_err(errno::program))
    }

    fn begin(&mut self) -> wasmtime::Result<Result<(), ErrorCode>> {
        self.called(0)?;
        Ok(self.broker().begin().map_err(errno::code))
    }

    fn freeze(&mut self, mount_point: Vec<u8>) -> wasmtime::Result<Result<(), MountError>> {
        self.freeze_just(mount_point, None)
    }

    fn freeze_mounted(&mut self, it: Mounted) -> wasmtime::Result<Result<(), MountError>> {
        let id = mount_id(&it);
        self.freeze_just(it.mount_point, Some(id))
    }

    fn thaw(&mut self, mount_point: Vec<u8>) -> wasmtime::Result<Result<(), MountError>> {
        self.called(mount_point.len())?;
        self.at_length(|it| it.broker().thaw(mount_point).map_err(errno::mount))
    }

    fn frozen_here(&mut self) -> wasmtime::Result<Vec<Vec<u8>>> {
        self.called(0)?;
        Ok(self.broker().frozen_here())
    }

    fn end(&mut self) -> wasmtime::Result<Result<(), ErrorCode>> {
        self.called(0)?;
        self.broker().end();
        Ok(Ok(()))
    }
}

impl Compartment {
    fn freeze_just(&mut self, mount_point: Vec<u8>, is: Option<MountId>) -> wasmtime::Result<Result<(), MountError>> {
        self.called(mount_point.len())?;
        self.at_length(|it| it.broker().freeze(mount_point, is).map_err(errno::mount))
    }
}
