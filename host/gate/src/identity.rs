//! `identity`: what this system calls itself.

use crate::{Asked, Errno, Kernel, Refusal, Variable};
use bulkhead_border::Identity;
use bulkhead_catalog::Capability;

impl Identity for Asked<'_> {
    fn uname(&mut self) -> Result<Kernel, Refusal<Errno>> {
        self.require(Capability::Identity, &[])?;
        Ok(self.gate.system.uname()?)
    }

    fn loads(&mut self) -> Result<[u64; 3], Refusal<Errno>> {
        self.require(Capability::Identity, &[])?;
        Ok(self.gate.system.loads()?)
    }

    fn environment(&mut self, variable: Variable) -> Result<Option<Vec<u8>>, Refusal<Errno>> {
        self.require(Capability::Identity, &[])?;
        Ok(self.gate.system.environment(name(variable)))
    }
}

fn name(variable: Variable) -> &'static str {
    match variable {
        Variable::Tz => "TZ",
        Variable::OsRelease => "QGA_OS_RELEASE",
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
        let mut report = gate.asked_by("report");
        assert_eq!(report.uname().map(|kernel| kernel.host_name), Ok(b"vm".to_vec()));
        assert_eq!(report.environment(Variable::Tz), Ok(Some(b"CET-1".to_vec())));
        assert_eq!(report.environment(Variable::OsRelease), Ok(None));
        fake.set_loads([1, 2, 3]);
        assert_eq!(report.loads(), Ok([1, 2, 3]));
        assert_eq!(gate.asked_by("time").loads(), Err(Refusal::Denied));
        assert_eq!(gate.asked_by("core").uname(), Err(Refusal::Denied));
        assert_eq!(gate.asked_by("file").environment(Variable::Tz), Err(Refusal::Denied));
    }
}
