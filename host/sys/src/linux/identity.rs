//! What the system calls itself.

use crate::Kernel;
use nix::errno::Errno;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// See [`crate::System::uname`].
pub(super) fn uname() -> Result<Kernel, Errno> {
    let names = nix::sys::utsname::uname()?;
    Ok(Kernel {
        host_name: names.nodename().as_bytes().to_vec(),
        release: names.release().as_bytes().to_vec(),
        version: names.version().as_bytes().to_vec(),
        machine: names.machine().as_bytes().to_vec(),
    })
}

/// See [`crate::System::environment`].
pub(super) fn environment(name: &str) -> Option<Vec<u8>> {
    std::env::var_os(name).map(OsStringExt::into_vec)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_has_a_name_and_the_environment_a_path() {
        let kernel = uname().unwrap();
        assert_eq!(std::fs::read("/proc/sys/kernel/hostname").unwrap().trim_ascii_end(), kernel.host_name);
        assert_eq!(std::fs::read("/proc/sys/kernel/osrelease").unwrap().trim_ascii_end(), kernel.release);
        assert!(!kernel.version.is_empty() && !kernel.machine.is_empty());
        assert_eq!(environment("PATH"), std::env::var_os("PATH").map(OsStringExt::into_vec));
        assert_eq!(environment("NO_SUCH_VARIABLE"), None);
    }
}
