//! `identity`: what this system calls itself.

use super::interface::identity::{Host, Kernel, Variable};
use super::{Compartment, broken_rule};
use bulkhead_border::{Identity, identity};

impl Host for Compartment {
    fn uname(&mut self) -> wasmtime::Result<Kernel> {
        self.called(0)?;
        let kernel = self.broker().uname().map_err(|_| broken_rule("uname failed"))?;
        Ok(Kernel {
            host_name: kernel.host_name,
            release: kernel.release,
            version: kernel.version,
            machine: kernel.machine,
        })
    }

    fn loads(&mut self) -> wasmtime::Result<(u64, u64, u64)> {
        self.called(0)?;
        let [one, five, fifteen] = self.broker().loads().map_err(|_| broken_rule("sysinfo failed"))?;
        Ok((one, five, fifteen))
    }

    fn environment(&mut self, variable: Variable) -> wasmtime::Result<Option<Vec<u8>>> {
        self.called(0)?;
        let variable = match variable {
            Variable::Tz => identity::Variable::Tz,
            Variable::OsRelease => identity::Variable::OsRelease,
        };
        let value = self.broker().environment(variable);
        let value = value.map_err(|_| broken_rule("the module was not granted the environment"))?;
        self.brought(value.as_ref().map_or(0, Vec::len));
        Ok(value)
    }
}
