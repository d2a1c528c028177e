//! What the agent can make the system do on behalf of a module.

use crate::{
    Ending, InterfaceAddress, Kernel, KeysError, Located, LocatedProgram, MountError, MountId, OpenFile, OpenFlags,
    ProgramError, Spawn, Spawned, Trimmed, Usage,
};
use nix::errno::Errno;
use std::fs::File;
use std::time::Duration;

/// The system as the gate sees it. Paths are bytes: the kernel's are not always UTF-8.
///
/// What a path leads to may be a server that is gone, or a user's own program (FUSE). No call waits for these for ever: what
/// takes longer than some seconds, or than its `patience` says, is `ETIMEDOUT`, and goes on without being waited for.
pub trait System {
    /// Opens a file (open(2)) close-on-exec, never as controlling terminal and without blocking. A file that is made
    /// gets mode 0666 whatever the umask, as fopen(3) clients of qemu-ga have it; one that exists keeps its mode.
    fn open_file(&self, path: &[u8], flags: OpenFlags) -> Result<OpenFile, Errno>;

    /// Finds what a client means by `path`, without opening it: nothing happens to it, whatever it is, a device or a FIFO.
    /// `trees` are the folders that a policy names. Never follows a link that is not text but a process's open file
    /// (proc_pid_fd(5)): `ELOOP`.
    fn locate(&self, path: &[u8], trees: &[&str]) -> Result<Located, Errno>;

    /// Opens just what was found, as [`System::open_file`] would, or makes it if nothing was there; `EAGAIN` if something
    /// is there by now.
    fn open_located(&self, located: &Located, flags: OpenFlags) -> Result<OpenFile, Errno>;

    /// /proc/self/mountinfo, opened to be read. The kernel makes its text while it is read, some lines at a time.
    fn mount_table(&self) -> Result<File, Errno>;

    /// Major and minor number of the block device at `path`; `ENODEV` if it is something else.
    fn block_device(&self, path: &[u8]) -> Result<(u32, u32), Errno>;

    /// How full the file system mounted at `mount_point` is (statvfs(3)); `ETIMEDOUT` if it does not answer within
    /// `patience` (less while others do not answer), and at once if it still owes an answer. `EXDEV` if it is not `is`.
    fn usage(&self, mount_point: &[u8], is: Option<MountId>, patience: Duration) -> Result<Usage, Errno>;

    /// Which of `names`, by their positions, are names of `thing` too, links and all. Of a program or a user those of which it
    /// cannot be found out, or not in time, are among them; those of which there is nothing by that name are not.
    fn same(&self, thing: Thing<'_>, names: &[&str]) -> Vec<usize>;

    /// The identity of the btrfs mounted at `mount_point`, 16 bytes (BTRFS_IOC_FS_INFO); `ENOTTY` if it is not a btrfs, otherwise as
    /// [`System::usage`].
    fn btrfs_id(&self, mount_point: &[u8], is: MountId, patience: Duration) -> Result<Vec<u8>, Errno>;

    /// Freezes the file system mounted at `mount_point` (FIFREEZE). Blocks until writes under way are done. Not opened, for
    /// `EXDEV`, if it is not `is`.
    fn freeze(&self, mount_point: &[u8], is: Option<MountId>) -> Result<(), MountError>;

    /// Thaws it, once (FITHAW); `EINVAL` if it was not frozen.
    fn thaw(&self, mount_point: &[u8]) -> Result<(), MountError>;

    /// Discards its unused blocks (FITRIM), free extents shorter than `minimum` bytes excepted. Not opened, for `EXDEV`, if it
    /// is not `is`. `ETIMEDOUT` if that has no end within `limit`; the kernel goes on with it.
    fn trim(
        &self,
        mount_point: &[u8],
        is: Option<MountId>,
        minimum: u64,
        limit: Duration,
    ) -> Result<Trimmed, MountError>;

    /// Whether there is a file at `path` that the agent may execute (access(2)).
    fn is_executable(&self, path: &[u8]) -> bool;

    /// Runs a program to its end. Its standard input is empty; what it prints on standard output and error is kept,
    /// up to the program's output limit.
    fn run(&self, program: &Program) -> Result<(), ProgramError>;

    /// Where a program is. A name with a slash is a path already; any other is searched in `search_path` (the form of
    /// PATH), without it in the agent's own PATH. `ENOENT` if it is nowhere, `EACCES` if it is there but cannot be executed.
    fn find_program(&self, name: &[u8], search_path: Option<&[u8]>) -> Result<Vec<u8>, Errno>;

    /// Finds the file that would be executed at `path`, links followed; `EACCES` if the agent may not execute it.
    fn locate_program(&self, path: &[u8]) -> Result<LocatedProgram, Errno>;

    /// Starts a program that outlives the call.
    fn spawn(&self, program: &Spawn) -> Result<Spawned, Errno>;

    /// Kills a program that was started in a group of its own, with all that it has started (killpg(2), SIGKILL). Only as
    /// long as it was not reaped, for then the number may be another's.
    fn kill_group(&self, pid: i32) -> Result<(), Errno>;

    /// Whether a program that [`System::spawn`] started has ended. It is not forgotten by that: its number stays its own
    /// until it is reaped.
    fn has_ended(&self, pid: i32) -> Result<bool, Errno>;

    /// How a program that [`System::spawn`] started ended; nothing while it runs (waitpid(2)). Forgets it once it has told.
    fn reap(&self, pid: i32) -> Result<Option<Ending>, Errno>;

    /// The bytes of the regular file at `path` below the folder `tree`; `EOVERFLOW` if it is longer than `limit` bytes,
    /// `EINVAL` if it is not a regular file, `EXDEV` if a link on the way leads out of the tree (openat2(2)). Never blocks.
    fn read_system_file(&self, tree: &[u8], path: &[u8], limit: usize) -> Result<Vec<u8>, Errno>;

    /// The names in the folder at `path` below `tree`, in the kernel's order; `EOVERFLOW` if there are more than `limit`,
    /// or their text is longer than 32 bytes for each of so many.
    fn system_entries(&self, tree: &[u8], path: &[u8], limit: usize) -> Result<Vec<Vec<u8>>, Errno>;

    /// Where the link at `path` below `tree` leads, as a path from the root without links (realpath(3)); `EINVAL` if it is
    /// no link, `EXDEV` if it leads out of the tree.
    fn resolve_link(&self, tree: &[u8], path: &[u8]) -> Result<Vec<u8>, Errno>;

    /// The addresses of all network interfaces (getifaddrs(3)), at most `limit`, else `EOVERFLOW`.
    fn addresses(&self, limit: usize) -> Result<Vec<InterfaceAddress>, Errno>;

    /// What the kernel calls itself (uname(2)).
    fn uname(&self) -> Result<Kernel, Errno>;

    /// How busy the system was in the last 1, 5 and 15 minutes (sysinfo(2)), in steps of 1/65536.
    fn loads(&self) -> Result<[u64; 3], Errno>;

    /// A variable of the agent's own environment.
    fn environment(&self, name: &str) -> Option<Vec<u8>>;

    /// The health log of the NVMe disk `name`; `ENODEV` if it is none, `ETIMEDOUT` if it does not answer within `patience`.
    fn nvme_health(&self, name: &[u8], patience: Duration) -> Result<Vec<u8>, Errno>;

    /// Nanoseconds since 1970 began in UTC (CLOCK_REALTIME).
    fn now(&self) -> i64;

    /// Sets the clock (clock_settime(2)).
    fn set_time(&self, time: i64) -> Result<(), Errno>;

    /// What the hardware clock shows (RTC_RD_TIME of rtc(4)), in seconds since 1970 began as if it showed UTC; `ENOENT` if
    /// there is none.
    fn hardware_time(&self) -> Result<i64, Errno>;

    /// The same in the moment in which it begins a second; `ETIMEDOUT` if that does not come within `patience`.
    fn next_hardware_second(&self, patience: Duration) -> Result<i64, Errno>;

    /// Sets the hardware clock to [`System::now`] and `ahead` seconds more (RTC_SET_TIME), in the moment in which that makes
    /// it begin its seconds with the system's: waits for it, for a second at most.
    fn set_hardware_time(&self, ahead: i64) -> Result<(), Errno>;

    /// Takes a processor in or out of use.
    fn set_processor(&self, id: i64, online: bool) -> Result<(), Errno>;

    /// Takes a block of memory in or out of use.
    fn set_memory_block(&self, index: u64, online: bool) -> Result<(), Errno>;

    /// Writes `word` to /sys/power/state; comes back when the machine is awake again. `ETIMEDOUT` if falling asleep and waking up
    /// take longer than `limit`; the sleep itself does not count.
    fn kernel_sleep(&self, word: &str, limit: Duration) -> Result<(), Errno>;

    /// The text of the user's authorized_keys, read with the user's rights; `EFBIG` if it is longer than `limit` bytes.
    fn read_keys(&self, user: &str, limit: usize) -> Result<Vec<u8>, KeysError>;

    /// Replaces the user's authorized_keys, with the user's rights.
    fn write_keys(&self, user: &str, text: &[u8]) -> Result<(), KeysError>;
}

/// Something that may have several names.
#[derive(Clone, Copy, Debug)]
pub enum Thing<'a> {
    /// A program: the same file, by whatever path.
    Program(&'a LocatedProgram),
    /// The user of this name: the same number.
    User(&'a str),
    /// What is mounted here: the same file system, mounted there too.
    MountPoint(&'a [u8]),
}

/// A program to run to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Its path; no search, no shell.
    pub path: Vec<u8>,
    /// Its arguments, without the name.
    pub arguments: Vec<String>,
    /// Its standard input. Never logged: it may be a password.
    pub input: Vec<u8>,
    /// How long it may take. Then it and what it started in its process group are killed.
    pub time_limit: Duration,
    /// How much of its output is kept, in bytes; the rest is read and thrown away.
    pub output_limit: usize,
}
