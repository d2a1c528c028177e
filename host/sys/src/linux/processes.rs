//! Programs that run on their own.

mod exactly;
mod spawn;
mod user;

pub(super) use spawn::{leaves_room, start};

use super::Linux;
use crate::{Ending, Processes, Spawn, Spawned};
use nix::errno::Errno;
use nix::libc;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

impl Processes for Linux {
    fn spawn(&self, program: &Spawn) -> Result<Spawned, Errno> {
        spawn::spawn(program)
    }

    fn kill_group(&self, pid: i32) -> Result<(), Errno> {
        // Zero would mean the agent's own group, and one every process.
        if pid <= 1 {
            return Err(Errno::ESRCH);
        }
        killpg(Pid::from_raw(pid), Signal::SIGKILL)
    }

    fn has_ended(&self, pid: i32) -> Result<bool, Errno> {
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

    /// By way of libc, for nix takes a status for an error if the signal in it has no name.
    fn reap(&self, pid: i32) -> Result<Option<Ending>, Errno> {
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
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::{Output, Programs};
    use std::fs::{File, Permissions};
    use std::io::Read;
    use std::os::fd::OwnedFd;
    use std::os::unix::fs::PermissionsExt;
    use std::path::PathBuf;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Duration;

    /// A folder of one test, that everybody may look into.
    pub(in crate::linux) struct Scratch(PathBuf);

    impl Scratch {
        pub(in crate::linux) fn new() -> Self {
            static NEXT: AtomicU32 = AtomicU32::new(0);
            let unique = format!("bulkhead-programs-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
            let path = std::env::temp_dir().canonicalize().unwrap().join(unique);
            std::fs::create_dir(&path).unwrap();
            std::fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
            Scratch(path)
        }

        pub(in crate::linux) fn path(&self, name: &str) -> PathBuf {
            self.0.join(name)
        }

        /// Makes an executable file. Written under another name first, for what is open to be written is not executed.
        pub(in crate::linux) fn program(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
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
    pub(in crate::linux) fn run(program: &Spawn) -> (Ending, String) {
        let Spawned { pid, stdin, stdout, .. } = started(program).unwrap();
        drop(stdin);
        (ending(pid), stdout.map(text).unwrap_or_default())
    }

    /// Starts it, and again if somebody writes to its file: another test that made a process while this one wrote it, for the
    /// process has all that is open until it executes something.
    pub(super) fn started(program: &Spawn) -> Result<Spawned, Errno> {
        loop {
            match Linux.spawn(program) {
                // Another test makes the user database seem to hang.
                Err(Errno::ETXTBSY | Errno::ETIMEDOUT) => std::thread::sleep(Duration::from_millis(1)),
                outcome => return outcome,
            }
        }
    }

    pub(super) fn ending(pid: i32) -> Ending {
        loop {
            match Linux.reap(pid).unwrap() {
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
        let Spawned { pid, .. } = Linux.spawn(&shell("exit 3")).unwrap();
        while Linux.has_ended(pid) == Ok(false) {
            std::thread::sleep(Duration::from_millis(1));
        }
        assert_eq!(Linux.has_ended(pid), Ok(true), "as often as one looks");
        assert_eq!(Linux.reap(pid), Ok(Some(Ending::Exited(3))));
        for pid in [pid, 1, 0, -1] {
            assert_eq!(Linux.has_ended(pid), Err(Errno::ECHILD), "{pid} is no child");
        }
    }

    #[test]
    fn a_name_is_searched_folder_by_folder() {
        assert_eq!(Linux.find_program(b"sh", Some(b"/nowhere:/etc/passwd:/usr/bin:/bin")), Ok(b"/usr/bin/sh".to_vec()));
        assert_eq!(Linux.find_program(b"sh", Some(b"/nowhere")), Err(Errno::ENOENT));
        assert!(Linux.find_program(b"sh", None).is_ok(), "in the agent's own PATH");
        assert_eq!(Linux.find_program(b"", None), Err(Errno::ENOENT));
    }

    #[test]
    fn a_path_is_not_searched() {
        assert_eq!(Linux.find_program(b"/no/such/program", Some(b"/bin")), Ok(b"/no/such/program".to_vec()));
        assert_eq!(Linux.find_program(b"./here", None), Ok(b"./here".to_vec()));
    }

    #[test]
    fn what_cannot_be_executed_is_passed_over_but_remembered() {
        assert_eq!(Linux.find_program(b"passwd", Some(b"/etc:/nowhere")), Err(Errno::EACCES), "not executable");
        assert_eq!(Linux.find_program(b"bin", Some(b"/usr")), Err(Errno::EACCES), "a folder");
        assert_eq!(Linux.find_program(&[b'x'; 300], Some(b"/usr/bin")), Err(Errno::ENAMETOOLONG));
    }

    #[test]
    fn an_empty_entry_is_the_working_directory() {
        // Where the tests of this package run there is a Cargo.toml, which is not executable.
        assert_eq!(Linux.find_program(b"Cargo.toml", Some(b":/nowhere")), Err(Errno::EACCES));
        assert_eq!(Linux.find_program(b"Cargo.toml", Some(b"/nowhere")), Err(Errno::ENOENT));
    }
}
