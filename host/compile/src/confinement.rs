//! Giving up every privilege, before the first byte of somebody else's file is read.
//!
//! What is left is a process that can compute, read its stdin and write to its stdout and stderr. It cannot open a file or a
//! socket, start a program, get a privilege back, or use more than the limits below.

use nix::errno::Errno;
use nix::sys::prctl;
use nix::sys::resource::{Resource, setrlimit};
use nix::unistd::{Gid, Uid, close, setgroups, setresgid, setresuid};
use std::fs;
use thiserror::Error;

/// Who the process is where it was root: nobody, to whom nothing belongs. The number is the kernel's overflow user, the same
/// on every Linux.
const NOBODY: u32 = 65534;

/// The address space, in bytes. It bounds a component that makes the compiler hoard: to compile the largest built-in module takes
/// 24 MiB of memory, and 8 MiB of short functions 200 MiB or, where they do nothing but call, 850 MiB. One
/// function of 8 MiB finds this limit.
const ADDRESS_SPACE: u64 = 1 << 30;

/// Processor time to look at a component, in seconds. To read and validate 8 MiB takes a tenth of one; this is for a processor
/// that is emulated, and ends what exploits the reader's worst case.
const SECONDS_TO_DESCRIBE: u64 = 10;

/// Processor time to compile it, in seconds. The built-in modules take a fifth to a half of one, 8 MiB of short functions up to
/// fifteen; the rest is for a processor that is emulated, and ends what exploits the compiler's worst case.
const SECONDS_TO_COMPILE: u64 = 60;

/// Open descriptors: stdin, stdout and stderr. It bounds what the process can reach at all, since nothing new can be opened: no file,
/// no socket, no pipe.
const DESCRIPTORS: u64 = 3;

/// What the process cannot give up.
#[derive(Debug, Error)]
#[error("cannot give up {what}: {source}")]
pub(crate) struct ConfinementError {
    what: &'static str,
    source: Errno,
}

/// What the process is for, which says how long it may run.
#[derive(Clone, Copy)]
pub(crate) enum Purpose {
    /// Looking at a component.
    Describe,
    /// Compiling it.
    Compile,
}

/// Gives up all of it, for good.
pub(crate) fn confine(purpose: Purpose) -> Result<(), ConfinementError> {
    let failed = |what| move |source| ConfinementError { what, source };
    if Uid::effective().is_root() {
        let (user, group) = (Uid::from_raw(NOBODY), Gid::from_raw(NOBODY));
        setgroups(&[]).map_err(failed("the groups"))?;
        setresgid(group, group, group).map_err(failed("the group"))?;
        setresuid(user, user, user).map_err(failed("the user"))?;
    }
    close_others().map_err(failed("descriptors"))?;
    prctl::set_no_new_privs().map_err(failed("the way to new privileges"))?;
    let seconds = match purpose {
        Purpose::Describe => SECONDS_TO_DESCRIBE,
        Purpose::Compile => SECONDS_TO_COMPILE,
    };
    let limits = [
        (Resource::RLIMIT_AS, ADDRESS_SPACE, "address space"),
        (Resource::RLIMIT_CPU, seconds, "processor time"),
        (Resource::RLIMIT_FSIZE, 0, "writing files"),
        (Resource::RLIMIT_CORE, 0, "core dumps"),
        (Resource::RLIMIT_NPROC, 0, "other processes"),
        (Resource::RLIMIT_NOFILE, DESCRIPTORS, "descriptors"),
    ];
    for (resource, limit, what) in limits {
        setrlimit(resource, limit, limit).map_err(failed(what))?;
    }
    Ok(())
}

/// Closes what whoever started this program may have left open.
fn close_others() -> Result<(), Errno> {
    let open: Vec<i32> = match fs::read_dir("/proc/self/fd") {
        Ok(entries) => entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect(),
        // Without /proc nobody can say which; the limit then counts them in.
        Err(_) => return Ok(()),
    };
    // One of them was the list's own, and is closed.
    open.into_iter().filter(|it| *it > 2).try_for_each(|it| match close(it) {
        Err(Errno::EBADF) => Ok(()),
        closed => closed,
    })
}
