//! `mounts`: the mount table.

use super::interface::mounts::{Device, Host};
use super::interface::types::ErrorCode;
use super::{Compartment, errno};

impl Host for Compartment {
    fn mountinfo(&mut self) -> wasmtime::Result<Result<Vec<u8>, ErrorCode>> {
        let table = self.state().gate.mountinfo(self.module);
        self.called(table.as_ref().map_or(0, Vec::len))?;
        Ok(table.map_err(errno::code))
    }

    fn block_device(&mut self, path: Vec<u8>) -> wasmtime::Result<Result<Device, ErrorCode>> {
        self.called(path.len())?;
        let found = self.state().gate.block_device(self.module, &path);
        Ok(found.map(|(major, minor)| Device { major, minor }).map_err(errno::code))
    }
}
