//! What the system calls itself.

use super::Linux;
use crate::{Identity, Kernel};
use nix::errno::Errno;
use nix::libc;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

impl Identity for Linux {
    fn uname(&self) -> Result<Kernel, Errno> {
        let names = nix::sys::utsname::uname()?;
        Ok(Kernel {
            host_name: names.nodename().as_bytes().to_vec(),
            release: names.release().as_bytes().to_vec(),
            version: names.version().as_bytes().to_vec(),
            machine: names.machine().as_bytes().to_vec(),
        })
    }

    fn loads(&self) -> Result<[u64; 3], Errno> {
        // SAFETY: a `sysinfo` is integers, and may be zero.
        #[expect(unsafe_code, reason = "a struct of the kernel's to write to")]
        let mut told: libc::sysinfo = unsafe { std::mem::zeroed() };
        // SAFETY: the call writes a `sysinfo` to where it is told to, and does nothing else to our memory.
        #[expect(unsafe_code, reason = "sysinfo(2) takes a pointer")]
        Errno::result(unsafe { libc::sysinfo(&raw mut told) })?;
        Ok(told.loads)
    }

    fn environment(&self, name: &str) -> Option<Vec<u8>> {
        std::env::var_os(name).map(OsStringExt::into_vec)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The kernel's own text, which it rounds to two decimals, must have been true shortly before or after.
    #[test]
    fn the_loads_are_those_of_the_kernels_text() {
        let text = || std::fs::read_to_string("/proc/loadavg").unwrap();
        let is_told = || {
            let (before, loads, after) = (text(), Linux.loads().unwrap(), text());
            let parsed = |text: &str| text.split(' ').take(3).map(|word| word.parse().unwrap()).collect::<Vec<f64>>();
            let near = |told: &[f64]| {
                told.iter().zip(loads).all(|(told, load)| (told - load as f64 / 65536.0).abs() <= 0.0051)
            };
            near(&parsed(&before)) || near(&parsed(&after))
        };
        // They change every five seconds, be it between two looks; not twice in a row.
        assert!(is_told() || is_told());
    }

    #[test]
    fn the_kernel_has_a_name_and_the_environment_a_path() {
        let kernel = Linux.uname().unwrap();
        assert_eq!(std::fs::read("/proc/sys/kernel/hostname").unwrap().trim_ascii_end(), kernel.host_name);
        assert_eq!(std::fs::read("/proc/sys/kernel/osrelease").unwrap().trim_ascii_end(), kernel.release);
        assert!(!kernel.version.is_empty() && !kernel.machine.is_empty());
        assert_eq!(Linux.environment("PATH"), std::env::var_os("PATH").map(OsStringExt::into_vec));
        assert_eq!(Linux.environment("NO_SUCH_VARIABLE"), None);
    }
}
