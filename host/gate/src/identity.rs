//! `identity`: what this system calls itself.

use crate::{Errno, Gate, GateError, Kernel};
use bulkhead_catalog::Capability;

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

    /// A variable of the agent's environment. Which ones a module can name, the interface says.
    pub fn environment(&self, module: &str, name: &str) -> Result<Option<Vec<u8>>, GateError<Errno>> {
        self.require(module, Capability::Identity, &[])?;
        Ok(self.system.environment(name))
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
        assert_eq!(gate.environment("report", "TZ"), Ok(Some(b"CET-1".to_vec())));
        assert_eq!(gate.environment("report", "QGA_OS_RELEASE"), Ok(None));
        fake.set_loads([1, 2, 3]);
        assert_eq!(gate.loads("report"), Ok([1, 2, 3]));
        assert!(matches!(gate.loads("time"), Err(GateError::Denied { .. })));
        assert!(matches!(gate.uname("core"), Err(GateError::Denied { .. })));
        assert!(matches!(gate.environment("file", "TZ"), Err(GateError::Denied { .. })));
    }
}
