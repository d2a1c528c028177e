//! `mounts`: the mount table, and how full file systems are.

use super::interface::mounts::{Device, Host, Space};
use super::interface::types::{ErrorCode, Mounted};
use super::{Compartment, errno, mount_id};
use bulkhead_border::mounts::Usage;
use bulkhead_border::{Errno, Mounts, Refusal};

impl Host for Compartment {
    fn mountinfo(&mut self) -> wasmtime::Result<Result<Vec<u8>, ErrorCode>> {
        self.called(0)?;
        let table = self.broker().mountinfo();
        Ok(self.text(table))
    }

    fn next_mounts(&mut self) -> wasmtime::Result<Result<Vec<u8>, ErrorCode>> {
        self.called(0)?;
        let lines = self.broker().next_mounts();
        Ok(self.text(lines))
    }

    fn block_device(&mut self, path: Vec<u8>) -> wasmtime::Result<Result<Device, ErrorCode>> {
        self.called(path.len())?;
        let found = self.broker().block_device(path);
        Ok(found.map(|(major, minor)| Device { major, minor }).map_err(errno::code))
    }

    fn usage(&mut self, mount_point: Vec<u8>) -> wasmtime::Result<Result<Space, ErrorCode>> {
        self.called(mount_point.len())?;
        Ok(self.broker().usage(mount_point, None).map(space).map_err(errno::code))
    }

    fn usage_of(&mut self, of: Mounted) -> wasmtime::Result<Result<Space, ErrorCode>> {
        self.called(of.mount_point.len())?;
        let id = mount_id(&of);
        Ok(self.broker().usage(of.mount_point, Some(id)).map(space).map_err(errno::code))
    }

    fn btrfs_id(&mut self, of: Mounted) -> wasmtime::Result<Result<Vec<u8>, ErrorCode>> {
        self.called(of.mount_point.len())?;
        let id = mount_id(&of);
        Ok(self.broker().btrfs_id(of.mount_point, id).map_err(errno::code))
    }
}

impl Compartment {
    fn text(&mut self, text: Result<Vec<u8>, Refusal<Errno>>) -> Result<Vec<u8>, ErrorCode> {
        self.brought(text.as_ref().map_or(0, Vec::len));
        text.map_err(errno::code)
    }
}

fn space(usage: Usage) -> Space {
    Space { total: usage.total, free: usage.free, available: usage.available }
}
