//! What the kernel calls itself, as plain values.

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
