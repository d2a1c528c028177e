//! The pid file of a daemonized agent.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    process,
};

use nix::{
    errno::Errno,
    fcntl::{FcntlArg, fcntl},
    libc,
};
use thiserror::Error;

/// A pid file that is written and locked. The lock says that the agent runs, the text says which process it is;
/// dropping the value removes the file.
///
/// The lock is the `fcntl(2)` write lock that `qemu-ga` takes, so that either agent sees the other. Such a lock
/// belongs to the process, which has two consequences:
///
/// - A fork does not inherit it. Create the value after daemonizing, in the process that stays.
/// - Closing *any* descriptor of the file gives it up. This process must not open the file again, and must not create
///   a second value for the same path: the lock would not stop it.
#[derive(Debug)]
pub struct PidFile {
    path: PathBuf,
    file: File,
    /// The process that took the lock. A child that was forked meanwhile holds a copy of this value but no lock.
    owner: u32,
}

impl PidFile {
    /// Takes the lock and writes the pid and a newline. A new file gets the mode 0600.
    ///
    /// Nothing is changed before the lock is held, so that a start that fails leaves the file of a running agent alone.
    /// A file that an agent left behind when it was killed is taken over.
    pub fn create(path: impl Into<PathBuf>) -> Result<Self, PidFileError> {
        let path = path.into();
        let file = open_locked(&path)?;
        // From here on the file is ours, and dropping the value removes it if it cannot be written.
        let mut pid_file = PidFile { path, file, owner: process::id() };
        pid_file.write().map_err(|source| PidFileError::Write { path: pid_file.path.clone(), source })?;
        Ok(pid_file)
    }

    fn write(&mut self) -> io::Result<()> {
        self.replace(&format!("{}\n", self.owner))
    }

    /// Writes another text. Who reads meanwhile may find the old one behind the new one, never a piece of the new one.
    pub fn replace(&mut self, text: &str) -> io::Result<()> {
        self.file.write_all_at(text.as_bytes(), 0)?;
        self.file.set_len(text.len() as u64)
    }

    /// The process whose pid file this is, by its lock: unlike a number in a file it is never that of another process that
    /// came later. `None` if none holds it, or one of another pid namespace. Not for a file that this process holds.
    pub fn holder(path: &Path) -> io::Result<Option<i32>> {
        match File::open(path) {
            Ok(file) => Ok(holder(&file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        // The lock goes when the file is closed, which is after this: nobody else can have written to it.
        if self.owner == process::id() && is_at(&self.file, &self.path).unwrap_or(false) {
            // Nothing better can be done about an error now; the next agent takes the file over.
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn open_locked(path: &Path) -> Result<File, PidFileError> {
    let failed = |source| PidFileError::Open { path: path.to_owned(), source };
    loop {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)
            .map_err(failed)?;
        // A device or a FIFO could be locked, but not emptied, and it is not ours to remove.
        if !file.metadata().map_err(failed)?.is_file() {
            return Err(PidFileError::NotARegularFile { path: path.to_owned() });
        }
        match fcntl(&file, FcntlArg::F_SETLK(&write_lock())) {
            Ok(_) => {}
            Err(Errno::EACCES | Errno::EAGAIN) => {
                return Err(PidFileError::Locked { path: path.to_owned(), pid: holder(&file) });
            }
            Err(errno) => return Err(failed(errno.into())),
        }
        // An agent that ended between our open and our lock has removed the file, and the lock is on a file without a
        // name. Once more, then.
        if is_at(&file, path).map_err(failed)? {
            return Ok(file);
        }
    }
}

/// Whether the open file is the one that the path leads to.
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let open = file.metadata()?;
    match fs::metadata(path) {
        Ok(named) => Ok((named.dev(), named.ino()) == (open.dev(), open.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// The process that has the lock. `None` if it has just let go, or is one of another pid namespace.
fn holder(file: &File) -> Option<i32> {
    let mut lock = write_lock();
    fcntl(file, FcntlArg::F_GETLK(&mut lock)).ok()?;
    (i32::from(lock.l_type) != libc::F_UNLCK && lock.l_pid > 0).then_some(lock.l_pid)
}

/// A write lock on the whole file, however long it grows.
fn write_lock() -> libc::flock {
    libc::flock {
        l_type: libc::F_WRLCK as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: 0,
        l_len: 0,
        l_pid: 0,
    }
}

fn who(pid: &Option<i32>) -> String {
    pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default()
}

/// Why there is no pid file.
#[derive(Debug, Error)]
pub enum PidFileError {
    /// Another agent runs; its file has not been touched.
    #[error("cannot lock pid file {}: another agent is running{}", .path.display(), who(.pid))]
    Locked {
        /// The file.
        path: PathBuf,
        /// The other agent's process, where it can be told.
        pid: Option<i32>,
    },
    /// The file cannot be opened or locked.
    #[error("cannot open pid file {}", .path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The path leads to a device or a FIFO; it has not been touched.
    #[error("pid file {} is not a regular file", .path.display())]
    NotARegularFile {
        /// The path.
        path: PathBuf,
    },
    /// The file was locked but cannot be written, and was removed.
    #[error("cannot write pid file {}", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

#[cfg(test)]
mod tests {
    use std::{env, io::Read, os::unix::fs::PermissionsExt, process::Stdio};

    use super::*;
    use bulkhead_test_support::Scratch;

    #[test]
    fn it_is_written_and_removed() {
        let scratch = Scratch::new("pid-file");
        let path = scratch.file("agent.pid", "4294967295 left behind by an agent that was killed\n");
        let pid_file = PidFile::create(&path).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("{}\n", process::id()));
        drop(pid_file);
        assert!(!path.exists());
    }

    #[test]
    fn a_new_one_is_private() {
        let scratch = Scratch::new("pid-file-mode");
        let path = scratch.path().join("agent.pid");
        let _pid_file = PidFile::create(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
    }

    #[test]
    fn a_file_that_took_its_place_is_not_removed() {
        let scratch = Scratch::new("pid-file-replaced");
        let path = scratch.path().join("agent.pid");
        let pid_file = PidFile::create(&path).unwrap();
        fs::remove_file(&path).unwrap();
        fs::write(&path, "another agent's\n").unwrap();
        drop(pid_file);
        assert_eq!(fs::read_to_string(&path).unwrap(), "another agent's\n");
    }

    #[test]
    fn a_device_is_left_alone() {
        assert!(matches!(PidFile::create("/dev/null"), Err(PidFileError::NotARegularFile { .. })));
        assert!(Path::new("/dev/null").exists());
    }

    /// The lock stops other processes only, so the test plays both parts: it starts itself again as the running agent.
    #[test]
    fn the_file_of_a_running_agent_is_not_touched() {
        const RUNNING_AGENT: &str = "BULKHEAD_TEST_PID_FILE";
        if let Some(path) = env::var_os(RUNNING_AGENT) {
            let _pid_file = PidFile::create(&path).unwrap();
            println!("locked");
            io::stdin().read_to_end(&mut Vec::new()).unwrap();
            return;
        }
        let scratch = Scratch::new("pid-file-lock");
        let path = scratch.path().join("agent.pid");
        let mut agent = process::Command::new(env::current_exe().unwrap())
            .args(["--exact", "--nocapture", "pid_file::tests::the_file_of_a_running_agent_is_not_touched"])
            .env(RUNNING_AGENT, &path)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = Vec::new();
        let mut stdout = agent.stdout.take().unwrap();
        while !said.ends_with(b"locked\n") {
            let mut byte = [0];
            stdout.read_exact(&mut byte).expect("the agent has the file");
            said.extend(byte);
        }

        let error = PidFile::create(&path).unwrap_err();
        let (path_text, pid) = (path.display(), agent.id());
        assert_eq!(
            error.to_string(),
            format!("cannot lock pid file {path_text}: another agent is running (pid {pid})")
        );
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("{pid}\n"));
        assert_eq!(PidFile::holder(&path).unwrap(), Some(pid.cast_signed()));

        drop(agent.stdin.take());
        stdout.read_to_end(&mut said).unwrap();
        assert!(agent.wait().unwrap().success());
        assert!(!path.exists(), "the agent removed its own file");
        assert_eq!(PidFile::holder(&path).unwrap(), None);
        let mut file = PidFile::create(&path).unwrap();
        file.replace("1\nmore\n").unwrap();
        file.replace("2\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "2\n");
    }
}
