//! `system-files`: what the system says of itself in files.

use super::interface::system_files::Host;
use super::interface::types::ErrorCode;
use super::{Compartment, errno};

impl Host for Compartment {
    fn read(&mut self, path: Vec<u8>) -> wasmtime::Result<Result<Vec<u8>, ErrorCode>> {
        self.called(0)?;
        let text = self.state().gate.read_system_file(self.module, &path);
        self.brought(text.as_ref().map_or(0, Vec::len));
        Ok(text.map_err(errno::code))
    }

    fn entries(&mut self, path: Vec<u8>) -> wasmtime::Result<Result<Vec<Vec<u8>>, ErrorCode>> {
        self.called(0)?;
        let names = self.state().gate.system_entries(self.module, &path);
        self.brought(names.iter().flatten().map(Vec::len).sum());
        Ok(names.map_err(errno::code))
    }

    fn resolve(&mut self, path: Vec<u8>) -> wasmtime::Result<Result<Vec<u8>, ErrorCode>> {
        self.called(path.len())?;
        let target = self.state().gate.resolve_system_link(self.module, &path);
        Ok(target.map_err(errno::code))
    }
}
