//! `mounts`: the mount table, and how full file systems are.

use super::interface::mounts::{Device, Host, Space};
use super::interface::types::ErrorCode;
use super::{Compartment, errno};

impl Host for Compartment {
    fn mountinfo(&mut self) -> wasmtime::Result<Result<Vec<u8>, ErrorCode>> {
        self.called(0)?;
        let table = self.state().gate.mountinfo(self.module);
        self.brought(table.as_ref().map_or(0, Vec::len));
        Ok(table.map_err(errno::code))
    }

    fn block_device(&mut self, path: Vec<u8>) -> wasmtime::Result<Result<Device, ErrorCode>> {
        self.called(path.len())?;
        let found = self.state().gate.block_device(self.module, &path);
        Ok(found.map(|(major, minor)| Device { major, minor }).map_err(errno::code))
    }

    fn usage(&mut self, mount_point: Vec<u8>) -> wasmtime::Result<Result<Space, ErrorCode>> {
        self.called(mount_point.len())?;
        let usage = self.state().gate.usage(self.module, &mount_point);
        let plain =
            |usage: bulkhead_gate::Usage| Space { total: usage.total, free: usage.free, available: usage.available };
        Ok(usage.map(plain).map_err(errno::code))
    }
}
