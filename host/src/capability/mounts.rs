//! `mounts`: the mount table, and how full file systems are.

use super::interface::mounts::{Device, Host, Space};
use super::interface::types::{ErrorCode, Mounted};
use super::{Compartment, errno, mount_id};

impl Host for Compartment {
    fn mountinfo(&mut self) -> wasmtime::Result<Result<Vec<u8>, ErrorCode>> {
        self.called(0)?;
        let table = self.state().gate.mountinfo(self.module);
        self.brought(table.as_ref().map_or(0, Vec::len));
        Ok(table.map_err(errno::code))
    }

    fn next_mounts(&mut self) -> wasmtime::Result<Result<Vec<u8>, ErrorCode>> {
        self.called(0)?;
        let table = match self.mounts.take() {
            Some(table) => Ok(table),
            None => self.state().gate.mount_table(self.module),
        };
        let lines = table.and_then(|mut table| {
            let lines = table.next_lines()?;
            Ok((lines, table))
        });
        Ok(match lines {
            Ok((lines, table)) => {
                self.brought(lines.len());
                // At its end it is closed: who asks on wants it as it is then.
                self.mounts = (!lines.is_empty()).then_some(table);
                Ok(lines)
            }
            Err(error) => Err(errno::code(error)),
        })
    }

    fn block_device(&mut self, path: Vec<u8>) -> wasmtime::Result<Result<Device, ErrorCode>> {
        self.called(path.len())?;
        let found = self.state().gate.block_device(self.module, &path);
        Ok(found.map(|(major, minor)| Device { major, minor }).map_err(errno::code))
    }

    fn usage(&mut self, mount_point: Vec<u8>) -> wasmtime::Result<Result<Space, ErrorCode>> {
        self.called(mount_point.len())?;
        let usage = self.state().gate.usage(self.module, &mount_point, None);
        Ok(usage.map(space).map_err(errno::code))
    }

    fn usage_of(&mut self, of: Mounted) -> wasmtime::Result<Result<Space, ErrorCode>> {
        self.called(of.mount_point.len())?;
        let usage = self.state().gate.usage(self.module, &of.mount_point, Some(mount_id(&of)));
        Ok(usage.map(space).map_err(errno::code))
    }

    fn btrfs_id(&mut self, of: Mounted) -> wasmtime::Result<Result<Vec<u8>, ErrorCode>> {
        self.called(of.mount_point.len())?;
        Ok(self.state().gate.btrfs_id(self.module, &of.mount_point, mount_id(&of)).map_err(errno::code))
    }
}

fn space(usage: bulkhead_gate::Usage) -> Space {
    Space { total: usage.total, free: usage.free, available: usage.available }
}
