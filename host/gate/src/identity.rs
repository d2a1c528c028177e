//! `identity`: what this system calls itself.

use crate::{Errno, Gate, GateError, Kernel};
use bulkhead_catalog::Capability;

/// A variable of the agent's environment that modules may know. All others are the agent's alone: a service's environment has
/// secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variable {
    /// `TZ`, the time zone.
    Tz,
    /// `QGA_OS_RELEASE`, by which qemu-ga is told of another os-release file.
    OsRelease,
}

impl Variable {
    fn name(self) -> &'static str {
        match self {
            Variable::Tz => "TZ",
            Variable::OsRelease => "QGA_OS_RELEASE",
        }
    }
}

impl Gate {
    /// The answer of uname(2).
    pub fn uname(&self, module: &str) -> Result<Kernel, GateError<Errno>> {
        self.require(module, Capability::Identity, &[])?;
        Ok(self.system.uname()?)
    }

    /// The loads of sysinfo(2).
    pub fn loads(&self, module: &str) -> Result<[u64; 3], GateError<Errno>> {
        self.require(module, Capability::Identity, &[])?;
        Ok(self.system.loads()?)
    }

    /// A variable of the agent's environment.
    pub fn environment(&self, module: &str, variable: Variable) -> Result<Option<Vec<u8>>, GateError<Errno>> {
        self.require(module, Capability::Identity, &[])?;
        Ok(self.system.environment(variable.name()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use bulkhead_sys::Fake;

    #[test]
    fn who_reports_is_told_the_names() {
        let fake = Fake::default();
        fake.set_kernel(Kernel { host_name: b"vm".to_vec(), ..Kernel::default() });
        fake.set_environment("TZ", "CET-1");
        let gate = testing::full(&fake);
        assert_eq!(gate.uname("report").map(|kernel| kernel.host_name), Ok(b"vm".to_vec()));
        assert_eq!(gate.environment("report", Variable::Tz), Ok(Some(b"CET-1".to_vec())));
        assert_eq!(gate.environment("report", Variable::OsRelease), Ok(None));
        fake.set_loads([1, 2, 3]);
        assert_eq!(gate.loads("report"), Ok([1, 2, 3]));
        assert!(matches!(gate.loads("time"), Err(GateError::Denied { .. })));
        assert!(matches!(gate.uname("core"), Err(GateError::Denied { .. })));
        assert!(matches!(gate.environment("file", Variable::Tz), Err(GateError::Denied { .. })));
    }
}
