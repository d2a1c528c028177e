//! `disks`: what a disk tells of itself.

use super::interface::disks::Host;
use super::interface::types::ErrorCode;
use super::{Compartment, errno};
use bulkhead_border::Disks;

impl Host for Compartment {
    fn nvme_health(&mut self, name: Vec<u8>) -> wasmtime::Result<Result<Vec<u8>, ErrorCode>> {
        self.called(name.len())?;
        Ok(self.broker().nvme_health(name).map_err(errno::code))
    }
}
