//! A pretended kernel.

use super::Fake;
use crate::Kernel;
use nix::errno::Errno;
use std::collections::BTreeMap;

/// What the pretended system knows of it.
#[derive(Debug, Default)]
pub(super) struct Identity {
    kernel: Kernel,
    loads: [u64; 3],
    environment: BTreeMap<String, Vec<u8>>,
}

impl Fake {
    /// What the kernel calls itself from now on.
    pub fn set_kernel(&self, kernel: Kernel) {
        self.0.borrow_mut().identity.kernel = kernel;
    }

    /// How busy it was, in steps of 1/65536.
    pub fn set_loads(&self, loads: [u64; 3]) {
        self.0.borrow_mut().identity.loads = loads;
    }

    /// Sets a variable of the agent's environment.
    pub fn set_environment(&self, name: &str, value: &str) {
        self.0.borrow_mut().identity.environment.insert(name.to_owned(), value.into());
    }
}

impl crate::Identity for Fake {
    fn uname(&self) -> Result<Kernel, Errno> {
        let state = &self.0.borrow();
        Ok(state.identity.kernel.clone())
    }

    fn loads(&self) -> Result<[u64; 3], Errno> {
        let state = &self.0.borrow();
        Ok(state.identity.loads)
    }

    fn environment(&self, name: &str) -> Option<Vec<u8>> {
        let state = &self.0.borrow();
        state.identity.environment.get(name).cloned()
    }
}
