//! What the system calls itself, and how busy it is.

use crate::{Kernel, Rehearsal, System};
use nix::errno::Errno;

/// Asking the kernel, and the agent's own environment, about the machine.
pub trait Identity {
    /// What the kernel calls itself (uname(2)).
    fn uname(&self) -> Result<Kernel, Errno>;

    /// How busy the system was in the last 1, 5 and 15 minutes (sysinfo(2)), in steps of 1/65536.
    fn loads(&self) -> Result<[u64; 3], Errno>;

    /// A variable of the agent's own environment.
    fn environment(&self, name: &str) -> Option<Vec<u8>>;
}

impl<S: System> Identity for Rehearsal<S> {
    fn uname(&self) -> Result<Kernel, Errno> {
        self.real.uname()
    }

    fn loads(&self) -> Result<[u64; 3], Errno> {
        self.real.loads()
    }

    fn environment(&self, name: &str) -> Option<Vec<u8>> {
        self.real.environment(name)
    }
}
