//! The health of NVMe disks; NVME_IOCTL_ADMIN_CMD (linux/nvme_ioctl.h). Needs CAP_SYS_ADMIN.

use super::{Linux, patience};
use crate::Disks;
use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::Duration;

/// `struct nvme_passthru_cmd` of linux/nvme_ioctl.h: the fields of a command as the NVMe Base Specification names them,
/// and where its data goes.
#[repr(C)]
#[derive(Default)]
struct Command {
    opcode: u8,
    flags: u8,
    reserved: u16,
    nsid: u32,
    cdw2: u32,
    cdw3: u32,
    metadata: u64,
    address: u64,
    metadata_length: u32,
    data_length: u32,
    cdw10: u32,
    cdw11: u32,
    cdw12: u32,
    cdw13: u32,
    cdw14: u32,
    cdw15: u32,
    timeout_ms: u32,
    result: u32,
}

/// The command that reads a log page.
const GET_LOG_PAGE: u8 = 0x02;
/// The log page "SMART / Health Information".
const HEALTH: u32 = 0x02;
/// The log is the whole disk's and not that of one of its namespaces.
const EVERY_NAMESPACE: u32 = 0xFFFF_FFFF;
/// Reading the log does not count as taking note of the events it tells of: others still get them reported.
const RETAIN_ASYNCHRONOUS_EVENT: u32 = 1 << 15;
/// How long the log page is, in bytes; commands count in words of four, the last one's number.
const LENGTH: u32 = 512;

mod ioctl {
    #![allow(unsafe_code, missing_docs, reason = "nix makes this function from the number in linux/nvme_ioctl.h")]
    nix::ioctl_readwrite!(nvme_admin, b'N', 0x41, super::Command);
}

impl Disks for Linux {
    /// ///
    /// The kernel's own limit for commands is left alone: when it has passed, the kernel resets the disk's controller, and that is
    /// not for one who only asks.
    fn nvme_health(&self, name: &[u8], patience: Duration) -> Result<Vec<u8>, Errno> {
        let path = str::from_utf8(name).ok().filter(|name| is_nvme(name)).map(|name| format!("/dev/{name}"));
        let path = path.ok_or(Errno::ENODEV)?;
        patience::ask(("health", name.to_vec()), patience, move || {
            let flags = OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
            let disk = open(path.as_str(), flags, Mode::empty())?;
            read_log(&disk)
        })
    }
}

fn read_log(disk: &OwnedFd) -> Result<Vec<u8>, Errno> {
    let mut log = vec![0_u8; LENGTH as usize];
    let mut command = Command {
        opcode: GET_LOG_PAGE,
        nsid: EVERY_NAMESPACE,
        address: log.as_mut_ptr() as u64,
        data_length: LENGTH,
        cdw10: HEALTH | RETAIN_ASYNCHRONOUS_EVENT | (LENGTH / 4 - 1) << 16,
        ..Command::default()
    };
    // SAFETY: the descriptor is open for the whole call, `command` has the layout the kernel expects, and `log`, which outlives the
    // call, has room for as many bytes as it says.
    #[expect(unsafe_code, reason = "an ioctl")]
    let result = unsafe { ioctl::nvme_admin(disk.as_raw_fd(), &raw mut command) };
    match result {
        Ok(0) => Ok(log),
        // The disk has an error of its own.
        Ok(_) => Err(Errno::EIO),
        Err(Errno::ENOTTY) => Err(Errno::ENODEV),
        Err(errno) => Err(errno),
    }
}

/// `nvme0n1`: a controller and a namespace, and no path elsewhere.
fn is_nvme(name: &str) -> bool {
    let number = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let numbers = name.strip_prefix("nvme").and_then(|rest| rest.split_once('n'));
    numbers.is_some_and(|(controller, namespace)| number(controller) && number(namespace))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_nvme_disks_are_opened() {
        assert!(is_nvme("nvme0n1") && is_nvme("nvme10n25"));
        for other in
            ["", "nvme", "nvme0", "nvme0n", "nvmen1", "nvme0n1p1", "nvme0c0n1", "nvme0n1/x", "../nvme0n1", "sda"]
        {
            assert!(!is_nvme(other), "{other}");
            assert_eq!(Linux.nvme_health(other.as_bytes(), Duration::from_secs(60)), Err(Errno::ENODEV));
        }
        assert_eq!(Linux.nvme_health(b"nvme0n1\0", Duration::from_secs(60)), Err(Errno::ENODEV));
    }

    #[test]
    fn the_command_has_the_size_that_the_kernel_expects() {
        assert_eq!(size_of::<Command>(), 72);
    }

    #[test]
    fn what_is_no_nvme_disk_is_no_device() {
        let null = open("/dev/null", OFlag::O_RDONLY, Mode::empty()).unwrap();
        assert_eq!(read_log(&null), Err(Errno::ENODEV));
    }
}
