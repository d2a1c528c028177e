//! `trimmer`: discarding unused blocks.

use super::interface::trimmer::{Host, Trimmed};
use super::interface::types::MountError;
use super::{Compartment, errno};

impl Host for Compartment {
    fn trim(&mut self, mount_point: Vec<u8>, minimum: u64) -> wasmtime::Result<Result<Trimmed, MountError>> {
        self.called(mount_point.len())?;
        let done = self.state().gate.trim(self.module, &mount_point, minimum);
        Ok(done.map(|done| Trimmed { bytes: done.bytes, minimum: done.minimum }).map_err(errno::mount))
    }
}
