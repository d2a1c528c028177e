//! `system-files`: what the system says of itself in files.

use super::interface::system_files::Host;
use super::interface::types::ErrorCode;
use super::{Compartment, errno};
use bulkhead_border::SystemFiles;

impl Host for Compartment {
    fn read(&mut self, path: Vec<u8>) -> wasmtime::Result<Result<Vec<u8>, ErrorCode>> {
        self.called(0)?;
        let text = self.broker().read_system_file(path);
        self.brought(text.as_ref().map_or(0, Vec::len));
        Ok(text.map_err(errno::code))
    }

    fn entries(&mut self, path: Vec<u8>) -> wasmtime::Result<Result<Vec<Vec<u8>>, ErrorCode>> {
        self.called(0)?;
        let names = self.broker().system_entries(path);
        self.brought(names.iter().flatten().map(Vec::len).sum());
        Ok(names.map_err(errno::code))
    }

    fn resolve(&mut self, path: Vec<u8>) -> wasmtime::Result<Result<Vec<u8>, ErrorCode>> {
        self.called(path.len())?;
        Ok(self.broker().resolve_system_link(path).map_err(errno::code))
    }
}
