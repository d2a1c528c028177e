//! Programs that run on their own.

mod exactly;
mod locate;
mod spawn;
mod user;

use locate::check_executable;
pub(super) use locate::locate_program;
pub(super) use spawn::{leaves_room, spawn, start};

use crate::Ending;
use nix::errno::Errno;
use nix::libc;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use std::os::unix::ffi::OsStrExt;

/// Where programs are searched if nothing says where: the C library's own.
const DEFAULT_SEARCH_PATH: &[u8] = b"/bin:/usr/bin";

/// How long a search path may be, in bytes: the kernel takes no longer variables (MAX_ARG_STRLEN in execve(2)). It bounds how many
/// folders a client can have searched, a hundred thousand system calls.
const SEARCH_PATH: usize = 128 * 1024;

/// See [`crate::System::find_program`]. Goes on at the same errors as execvp(3): a folder that is not there, or not to be
/// looked into, does not hide the next.
pub(super) fn find_program(name: &[u8], search_path: Option<&[u8]>) -> Result<Vec<u8>, Errno> {
    if name.is_empty() {
        return Err(Errno::ENOENT);
    }
    if name.contains(&b'/') {
        return Ok(name.to_vec());
    }
    let own = std::env::var_os("PATH");
    let search_path = search_path.or(own.as_ref().map(|path| path.as_bytes())).unwrap_or(DEFAULT_SEARCH_PATH);
    if search_path.len() > SEARCH_PATH {
        return Err(Errno::E2BIG);
    }
    let mut refusal = Errno::ENOENT;
    for folder in search_path.split(|byte| *byte == b':') {
        let path = [if folder.is_empty() { b"." } else { folder }, b"/", name].concat();
        match check_executable(&path) {
            Ok(()) => return Ok(path),
            Err(Errno::EACCES) => refusal = Errno::EACCES,
            Err(Errno::ENOENT | Errno::ENOTDIR | Errno::ENODEV | Errno::ESTALE | Errno::ETIMEDOUT) => {}
            Err(errno) => return Err(errno),
        }
    }
    Err(refusal)
}

/// See [`crate::System::kill_group`].
pub(super) fn kill_group(pid: i32) -> Result<(), Errno> {
    // Zero would mean the agent's own group, and one every process.
    if pid <= 1 {
        return Err(Errno::ESRCH);
    }
    killpg(Pid::from_raw(pid), Signal::SIGKILL)
}

/// See [`crate::System::has_ended`].
pub(super) fn has_ended(pid: i32) -> Result<bool, Errno> {
    let id = libc::id_t::try_from(pid).ok().filter(|id| *id > 0).ok_or(Errno::ECHILD)?;
    // SAFETY: a siginfo_t is integers and pointers that nobody follows, and may be zero.
    #[expect(unsafe_code, reason = "a struct of the kernel's to write to")]
    let mut found: libc::siginfo_t = unsafe { std::mem::zeroed() };
    let flags = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
    // SAFETY: the call writes a siginfo_t to where it is told to, and does nothing else to our memory.
    #[expect(unsafe_code, reason = "waitid(2) takes a pointer")]
    Errno::result(unsafe { libc::waitid(libc::P_PID, id, &raw mut found, flags) })?;
    // What it writes if nothing has ended is all zeros.
    Ok(found.si_signo != 0)
}

/// See [`crate::System::reap`]. By way of libc, for nix takes a status for an error if the signal in it has no name.
pub(super) fn reap(pid: i32) -> Result<Option<Ending>, Errno> {
    // Zero and below would mean children in general.
    if pid <= 0 {
        return Err(Errno::ECHILD);
    }
    let mut status = 0;
    // SAFETY: the call writes an int to where it is told to, and does nothing else to our memory.
    #[expect(unsafe_code, reason = "waitpid(2) takes a pointer")]
    let found = Errno::result(unsafe { libc::waitpid(pid, &raw mut status, libc::WNOHANG) })?;
    Ok(match found {
        0 => None,
        _ if libc::WIFSIGNALED(status) => Some(Ending::Killed(libc::WTERMSIG(status))),
        _ => Some(Ending::Exited(libc::WEXITSTATUS(status))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Output, Spawn, Spawned};
    use std::fs::{File, Permissions};
    use std::io::Read;
    use std::os::fd::OwnedFd;
    use std::os::unix::fs::PermissionsExt;
    use std::path::PathBuf;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Duration;

    /// A folder of one test, that everybody may look into.
    pub(super) struct Scratch(PathBuf);

    impl Scratch {
        pub(super) fn new() -> Self {
            static NEXT: AtomicU32 = AtomicU32::new(0);
            let unique = format!("bulkhead-programs-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
            let path = std::env::temp_dir().canonicalize().unwrap().join(unique);
            std::fs::create_dir(&path).unwrap();
            std::fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
            Scratch(path)
        }

        pub(super) fn path(&self, name: &str) -> PathBuf {
            self.0.join(name)
        }

        /// Makes an executable file. Written under another name first, for what is open to be written is not executed.
        pub(super) fn program(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
            let (draft, path) = (self.path("draft"), self.path(name));
            std::fs::write(&draft, text).unwrap();
            std::fs::set_permissions(&draft, Permissions::from_mode(0o755)).unwrap();
            std::fs::rename(&draft, &path).unwrap();
            path
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    /// Runs it to its end; how it ended and what it printed.
    pub(super) fn run(program: &Spawn) -> (Ending, String) {
        let Spawned { pid, stdin, stdout, .. } = started(program).unwrap();
        drop(stdin);
        (ending(pid), stdout.map(text).unwrap_or_default())
    }

    /// Starts it, and again if somebody writes to its file: another test that made a process while this one wrote it, for the
    /// process has all that is open until it executes something.
    pub(super) fn started(program: &Spawn) -> Result<Spawned, Errno> {
        loop {
            match spawn(program) {
                // Another test makes the user database seem to hang.
                Err(Errno::ETXTBSY | Errno::ETIMEDOUT) => std::thread::sleep(Duration::from_millis(1)),
                outcome => return outcome,
            }
        }
    }

    pub(super) fn ending(pid: i32) -> Ending {
        loop {
            match reap(pid).unwrap() {
                Some(ending) => return ending,
                None => std::thread::sleep(Duration::from_millis(1)),
            }
        }
    }

    pub(super) fn text(pipe: OwnedFd) -> String {
        nix::fcntl::fcntl(&pipe, nix::fcntl::FcntlArg::F_SETFL(nix::fcntl::OFlag::empty())).unwrap();
        let mut text = String::new();
        File::from(pipe).read_to_string(&mut text).unwrap();
        text
    }

    /// A shell with a script, whose standard output is captured.
    pub(super) fn shell(script: &str) -> Spawn {
        Spawn {
            path: b"/bin/sh".to_vec(),
            arguments: [b"sh".as_slice(), b"-c", script.as_bytes()].map(<[u8]>::to_vec).to_vec(),
            environment: None,
            input: false,
            stdout: Output::Capture,
            stderr: Output::Discard,
            manner: crate::Manner::default(),
        }
    }

    #[test]
    fn an_end_is_seen_before_it_is_told() {
        let Spawned { pid, .. } = spawn(&shell("exit 3")).unwrap();
        while has_ended(pid) == Ok(false) {
            std::thread::sleep(Duration::from_millis(1));
        }
        assert_eq!(has_ended(pid), Ok(true), "as often as one looks");
        assert_eq!(reap(pid), Ok(Some(Ending::Exited(3))));
        for pid in [pid, 1, 0, -1] {
            assert_eq!(has_ended(pid), Err(Errno::ECHILD), "{pid} is no child");
        }
    }

    #[test]
    fn a_name_is_searched_folder_by_folder() {
        assert_eq!(find_program(b"sh", Some(b"/nowhere:/etc/passwd:/usr/bin:/bin")), Ok(b"/usr/bin/sh".to_vec()));
        assert_eq!(find_program(b"sh", Some(b"/nowhere")), Err(Errno::ENOENT));
        assert!(find_program(b"sh", None).is_ok(), "in the agent's own PATH");
        assert_eq!(find_program(b"", None), Err(Errno::ENOENT));
    }

    #[test]
    fn a_path_is_not_searched() {
        assert_eq!(find_program(b"/no/such/program", Some(b"/bin")), Ok(b"/no/such/program".to_vec()));
        assert_eq!(find_program(b"./here", None), Ok(b"./here".to_vec()));
    }

    #[test]
    fn what_cannot_be_executed_is_passed_over_but_remembered() {
        assert_eq!(find_program(b"passwd", Some(b"/etc:/nowhere")), Err(Errno::EACCES), "not executable");
        assert_eq!(find_program(b"bin", Some(b"/usr")), Err(Errno::EACCES), "a folder");
        assert_eq!(find_program(&[b'x'; 300], Some(b"/usr/bin")), Err(Errno::ENAMETOOLONG));
    }

    #[test]
    fn an_empty_entry_is_the_working_directory() {
        // Where the tests of this package run there is a Cargo.toml, which is not executable.
        assert_eq!(find_program(b"Cargo.toml", Some(b":/nowhere")), Err(Errno::EACCES));
        assert_eq!(find_program(b"Cargo.toml", Some(b"/nowhere")), Err(Errno::ENOENT));
    }
}
