//! The state directory: what must survive the agent. Its two files have qemu-ga's names and forms, so that one agent
//! can follow the other.

use bulkhead_config::KeyFile;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// The first handle of a fresh state directory.
const FIRST_HANDLE: i64 = 1000;

const GROUP: &str = "global";
const COUNTER: &str = "fd_counter";

/// What the state directory says.
#[derive(Debug)]
pub struct State {
    /// Without files it is forgotten with the process.
    files: Option<Files>,
    next_handle: i64,
    frozen: bool,
}

/// The state directory's files.
#[derive(Debug)]
struct Files {
    /// `qga.state`: the next handle, so that a client that outlives the agent never meets an old number again.
    counter: PathBuf,
    /// `qga.state.isfrozen`: its existence is the frozen flag.
    frozen: PathBuf,
}

/// What is wrong with the state directory.
#[derive(Debug, Error)]
pub enum StateError {
    /// A file cannot be read.
    #[error("cannot read the state file {}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is there but is not one of ours. Guessing a handle could give a number twice.
    #[error("the state file {} is broken ({reason}): remove it if no client holds file handles", path.display())]
    Broken {
        /// Which.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
    /// A file cannot be written.
    #[error("cannot write the state file {}: does the state directory exist?", path.display())]
    Unwritable {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl State {
    /// Opens the state directory. Makes `qga.state` if it is missing, unless the frozen flag is set: then nothing is
    /// written, since the disk below may be frozen.
    pub fn open(directory: &Path) -> Result<Self, StateError> {
        let files = Files { counter: directory.join("qga.state"), frozen: directory.join("qga.state.isfrozen") };
        let frozen = files.frozen.exists();
        let next_handle = read_counter(&files.counter)?;
        if next_handle.is_none() && !frozen {
            files.write_counter(FIRST_HANDLE)?;
        }
        Ok(State { files: Some(files), next_handle: next_handle.unwrap_or(FIRST_HANDLE), frozen })
    }

    /// A state that is written nowhere, for a rehearsal.
    pub fn unwritten(frozen: bool) -> Self {
        State { files: None, next_handle: FIRST_HANDLE, frozen }
    }

    /// Whether file systems are frozen on record.
    pub fn is_frozen(&self) -> bool {
        self.frozen
    }

    /// Puts the frozen state on record.
    pub fn set_frozen(&mut self) -> Result<(), StateError> {
        if let Some(Files { frozen, .. }) = &self.files {
            let made = File::options().write(true).create(true).truncate(true).mode(0o600).open(frozen);
            made.map_err(|source| StateError::Unwritable { path: frozen.clone(), source })?;
        }
        self.frozen = true;
        Ok(())
    }

    /// Takes it off the record.
    pub fn set_thawed(&mut self) -> Result<(), StateError> {
        if let Some(Files { frozen, .. }) = &self.files
            && let Err(source) = fs::remove_file(frozen)
            && source.kind() != ErrorKind::NotFound
        {
            return Err(StateError::Unwritable { path: frozen.clone(), source });
        }
        self.frozen = false;
        Ok(())
    }

    /// A handle that was never given before. It is on record before it is given.
    pub fn next_handle(&mut self) -> Result<i64, StateError> {
        let handle = self.next_handle;
        let path = self.files.as_ref().map(|files| files.counter.clone()).unwrap_or_default();
        let broken = || StateError::Broken { path, reason: "no handle is left".to_owned() };
        let next = handle.checked_add(1).ok_or_else(broken)?;
        if let Some(files) = &self.files {
            files.write_counter(next)?;
        }
        self.next_handle = next;
        Ok(handle)
    }
}

impl Files {
    /// Written beside its place and renamed: a crash leaves the old number or the new one.
    fn write_counter(&self, next: i64) -> Result<(), StateError> {
        let part = self.counter.with_extension("state.part");
        let text = format!("[{GROUP}]\n{COUNTER}={next}\n");
        let written = File::options()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o644)
            .open(&part)
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .and_then(|()| fs::rename(&part, &self.counter));
        written.map_err(|source| StateError::Unwritable { path: self.counter.clone(), source })
    }
}

/// The number in the file; nothing if there is no file or no number in it yet.
fn read_counter(path: &Path) -> Result<Option<i64>, StateError> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(StateError::Unreadable { path: path.to_owned(), source }),
    };
    let broken = |reason: String| StateError::Broken { path: path.to_owned(), reason };
    let file = KeyFile::parse(&text).map_err(|error| broken(error.to_string()))?;
    match file.get(GROUP, COUNTER).map_err(|error| broken(error.to_string()))? {
        None | Some("") => Ok(None),
        Some(number) => match number.parse() {
            Ok(number) if number >= 0 => Ok(Some(number)),
            _ => Err(broken(format!("{COUNTER} is '{number}'"))),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("bulkhead-state-{name}-{}", std::process::id()));
            fs::create_dir(&path).unwrap();
            Folder(path)
        }

        fn open(&self) -> State {
            State::open(&self.0).unwrap()
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn handles_go_on_after_a_restart() {
        let folder = Folder::new("handles");
        let mut state = folder.open();
        assert_eq!((state.next_handle().unwrap(), state.next_handle().unwrap()), (1000, 1001));
        assert_eq!(fs::read_to_string(folder.0.join("qga.state")).unwrap(), "[global]\nfd_counter=1002\n");
        assert_eq!(folder.open().next_handle().unwrap(), 1002);
    }

    #[test]
    fn the_frozen_flag_survives_a_crash() {
        let folder = Folder::new("frozen");
        let mut state = folder.open();
        state.set_frozen().unwrap();
        drop(state);
        let mut state = folder.open();
        assert!(state.is_frozen());
        state.set_thawed().unwrap();
        assert!(!folder.open().is_frozen());
        state.set_thawed().unwrap();
    }

    #[test]
    fn a_broken_file_is_reported_and_left_alone() {
        for text in ["junk\n", "[global]\nfd_counter=abc\n", "[global]\nfd_counter=-5\n"] {
            let folder = Folder::new("broken");
            fs::write(folder.0.join("qga.state"), text).unwrap();
            assert!(matches!(State::open(&folder.0), Err(StateError::Broken { .. })), "{text}");
            assert_eq!(fs::read_to_string(folder.0.join("qga.state")).unwrap(), text);
        }
    }

    #[test]
    fn what_is_written_nowhere_works_as_well() {
        let mut state = State::unwritten(false);
        assert_eq!((state.next_handle().unwrap(), state.next_handle().unwrap()), (1000, 1001));
        state.set_frozen().unwrap();
        assert!(state.is_frozen());
        state.set_thawed().unwrap();
        assert!(!state.is_frozen() && State::unwritten(true).is_frozen());
    }

    #[test]
    fn an_empty_file_is_a_fresh_start() {
        let folder = Folder::new("empty");
        fs::write(folder.0.join("qga.state"), "").unwrap();
        assert_eq!(folder.open().next_handle().unwrap(), 1000);
    }
}
