//! `hotplug`: processors and memory, in and out of use.

use super::interface::hotplug::Host;
use super::interface::types::ErrorCode;
use super::{Compartment, errno};
use bulkhead_border::Hotplug;

impl Host for Compartment {
    fn set_processor(&mut self, id: i64, online: bool) -> wasmtime::Result<Result<(), ErrorCode>> {
        self.called(0)?;
        self.at_length(|it| it.broker().set_processor(id, online).map_err(errno::code))
    }

    fn set_memory_block(&mut self, index: u64, online: bool) -> wasmtime::Result<Result<(), ErrorCode>> {
        self.called(0)?;
        self.at_length(|it| it.broker().set_memory_block(index, online).map_err(errno::code))
    }
}
