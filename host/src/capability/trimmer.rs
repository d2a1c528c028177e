//! `trimmer`: discarding unused blocks.

use super::interface::trimmer::{Host, Trimmed};
use super::interface::types::{MountError, Mounted};
use super::{Compartment, errno, mount_id};
use bulkhead_border::{MountId, Trimmer};

impl Host for Compartment {
    fn trim(&mut self, mount_point: Vec<u8>, minimum: u64) -> wasmtime::Result<Result<Trimmed, MountError>> {
        self.trim_just(mount_point, None, minimum)
    }

    fn trim_mounted(&mut self, it: Mounted, minimum: u64) -> wasmtime::Result<Result<Trimmed, MountError>> {
        let id = mount_id(&it);
        self.trim_just(it.mount_point, Some(id), minimum)
    }
}

impl Compartment {
    fn trim_just(
        &mut self,
        mount_point: Vec<u8>,
        is: Option<MountId>,
        minimum: u64,
    ) -> wasmtime::Result<Result<Trimmed, MountError>> {
        self.called(mount_point.len())?;
        let done = self.at_length(|it| it.broker().trim(mount_point, is, minimum))?;
        Ok(done.map(|done| Trimmed { bytes: done.bytes, minimum: done.minimum }).map_err(errno::mount))
    }
}
