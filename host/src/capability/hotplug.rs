//! `hotplug`: processors and memory, in and out of use.

use super::interface::hotplug::Host;
use super::interface::types::ErrorCode;
use super::{Compartment, errno};
use nix::time::{ClockId, clock_gettime};

impl Host for Compartment {
    fn set_processor(&mut self, id: i64, online: bool) -> wasmtime::Result<Result<(), ErrorCode>> {
        self.called(0)?;
        self.unpaid(|it| it.state().gate.set_processor(it.module, id, online).map_err(errno::code))
    }

    fn set_memory_block(&mut self, index: u64, online: bool) -> wasmtime::Result<Result<(), ErrorCode>> {
        self.called(0)?;
        self.unpaid(|it| it.state().gate.set_memory_block(it.module, index, online).map_err(errno::code))
    }
}

impl Compartment {
    /// Does something that the module does not pay for with its processor time: moving what a block of memory holds
    /// takes the kernel up to seconds of it, and a request may name many blocks.
    fn unpaid<T>(&mut self, act: impl FnOnce(&mut Self) -> T) -> wasmtime::Result<T> {
        let time = || clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID);
        let before = time()?;
        let outcome = act(self);
        let used = time()? - before;
        if let Some(started) = &mut self.started {
            *started += used.into();
        }
        Ok(outcome)
    }
}
