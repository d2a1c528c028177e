//! `clock`: the time.

use super::interface::clock::Host;
use super::{Compartment, broken_rule};
use bulkhead_border::Clock;

impl Host for Compartment {
    fn now(&mut self) -> wasmtime::Result<i64> {
        self.called(0)?;
        self.broker().now().map_err(|_| broken_rule("the module was not granted the clock"))
    }
}
