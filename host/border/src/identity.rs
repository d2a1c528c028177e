//! `identity`: what this system calls itself.

use crate::{Errno, Refusal};

/// The answer of uname(2), as far as it is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kernel {
    /// The host name.
    pub host_name: Vec<u8>,
    /// The kernel's release.
    pub release: Vec<u8>,
    /// The kernel's version.
    pub version: Vec<u8>,
    /// The name of the processor's kind.
    pub machine: Vec<u8>,
}

/// A variable of the agent's environment that modules may know. All others are the agent's alone: a service's environment has
/// secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variable {
    /// `TZ`, the time zone.
    Tz,
    /// `QGA_OS_RELEASE`, by which qemu-ga is told of another os-release file.
    OsRelease,
}

interface! {
    /// What this system calls itself, and how busy it is.
    Identity {
        /// The answer of uname(2).
        fn uname() -> Result<Kernel, Refusal<Errno>>;

        /// How busy the system was in the last 1, 5 and 15 minutes (sysinfo(2)), in steps of 1/65536.
        fn loads() -> Result<[u64; 3], Refusal<Errno>>;

        /// A variable of the agent's environment, if it is set.
        fn environment(variable: Variable) -> Result<Option<Vec<u8>>, Refusal<Errno>>;
    }
}
