//! The state directory: what must survive the agent. Its two files have qemu-ga's names and forms, so that one agent
//! can follow the other.
//!
//! What stands in them is not believed too readily: the machine may have lost power while they were written, and a file
//! that was never on the disk comes back empty or full of NULs. An agent that does not start for that is worse than a number
//! that was skipped.

use bulkhead_config::KeyFile;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};
use thiserror::Error;

/// The first handle of a fresh state directory.
const FIRST_HANDLE: i64 = 1000;

/// How many handles are put on record at once, so that to open a file does not wait for a disk. What it costs: as many
/// numbers are skipped when an agent is killed.
const STEP: i64 = 1000;

/// No agent comes so far by counting: at a thousand files a second it takes 34 years. Handles beyond are made from the clock.
const BEYOND_COUNTING: i64 = 1 << 40;

/// The largest handle. Clients in whose language all numbers are floating-point numbers know greater ones only roughly.
const LAST_HANDLE: i64 = 1 << 53;

/// The largest number that a state file is believed, half as far: from one near the end, an agent would soon have no handle left.
const MOST_COUNTED: i64 = LAST_HANDLE / 2;

/// How much of what stands in a broken file the log repeats, in characters.
const QUOTED: usize = 80;

/// How many bytes of a state file are read. It bounds what a file costs that is none of ours; ours have forty.
const LONGEST: u64 = 4096;

const GROUP: &str = "global";
const COUNTER: &str = "fd_counter";

/// The id of this boot of the kernel (random(4)).
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// What the state directory says.
#[derive(Debug)]
pub struct State {
    /// Without files it is forgotten with the process.
    files: Option<Files>,
    next_handle: i64,
    /// Handles below are on record as given.
    recorded: i64,
    frozen: bool,
    /// Whether the directory could be written when it was tried last.
    kept: bool,
}

/// The state directory's files.
#[derive(Debug)]
struct Files {
    directory: PathBuf,
    /// `qga.state`: no handle below this number is given any more, so that a client that outlives the agent never meets an
    /// old one again.
    counter: PathBuf,
    /// `qga.state.isfrozen`: its existence is the frozen flag. We write into it which boot of the kernel it was, qemu-ga
    /// writes nothing.
    frozen: PathBuf,
}

/// What is wrong with the state directory.
#[derive(Debug, Error)]
pub enum StateError {
    /// A file cannot be written.
    #[error("cannot write the state file {}: {reason}{}", path.display(), hint(.reason))]
    Unwritable {
        /// Which.
        path: PathBuf,
        /// Why.
        reason: io::Error,
    },
    /// There is no number left that was never given.
    #[error("no file handle is left")]
    Exhausted,
}

fn hint(reason: &io::Error) -> &'static str {
    if is_missing(reason) { "; does the state directory exist?" } else { "" }
}

/// Whether there is no state directory: a mistake in the configuration, where nothing would be gained by going on.
fn is_missing(reason: &io::Error) -> bool {
    matches!(reason.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

impl State {
    /// Opens the state directory. Makes `qga.state` if it is missing or broken, unless the frozen flag is set: then nothing is
    /// written, since the disk below may be frozen.
    ///
    /// If the directory can only be read the state is kept in memory, with a warning. It is an error if there is none.
    pub fn open(directory: &Path) -> Result<Self, StateError> {
        let files = Files::of(directory);
        let frozen = files.say_frozen();
        let (next_handle, recorded) = match read_counter(&files.counter) {
            Ok(Some(number)) => (number, number),
            Ok(None) => (FIRST_HANDLE, 0),
            Err(reason) => {
                let next = beyond_counting();
                tracing::warn!("{} {reason}: file handles go on from {next}", files.counter.display());
                (next, 0)
            }
        };
        let mut state = State { files: Some(files), next_handle, recorded, frozen, kept: true };
        if !frozen {
            state.try_out()?;
        }
        Ok(state)
    }

    /// Whether the directory takes a record; makes the missing one.
    fn try_out(&mut self) -> Result<(), StateError> {
        let Some(files) = &self.files else { return Ok(()) };
        let tried = if self.recorded == 0 { files.write_counter(self.next_handle) } else { files.touch() };
        match tried {
            Ok(()) => self.recorded = self.next_handle,
            Err(StateError::Unwritable { reason, .. }) if !is_missing(&reason) => {
                tracing::warn!(
                    "the state directory {} cannot be written ({reason}), so the agent keeps its state in memory: file \
                     handles are made from the clock, file systems are not frozen, and the owner's tools will not find it",
                    files.directory.display()
                );
                self.forget();
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// There is no record: numbers that are given now must not be those that the record gives to an agent later on.
    fn forget(&mut self) {
        self.kept = false;
        self.next_handle = self.next_handle.max(beyond_counting());
        self.recorded = self.next_handle;
    }

    /// A state that is written nowhere, for a rehearsal.
    pub fn unwritten(frozen: bool) -> Self {
        State { files: None, next_handle: FIRST_HANDLE, recorded: FIRST_HANDLE, frozen, kept: false }
    }

    /// Whether the state directory can be written, as far as is known.
    pub fn is_kept(&self) -> bool {
        self.kept
    }

    /// Whether file systems are frozen on record.
    pub fn is_frozen(&self) -> bool {
        self.frozen
    }

    /// Puts the frozen state on record. Without that record nothing may be frozen: an agent that is started meanwhile would
    /// write to a frozen disk and wait for itself.
    pub fn set_frozen(&mut self) -> Result<(), StateError> {
        if let Some(files) = &self.files {
            files.mark_frozen()?;
        }
        self.frozen = true;
        Ok(())
    }

    /// Takes it off the record. It ends in any case, since nothing is frozen any more; after an error the next agent starts
    /// frozen, until it is told to thaw.
    pub fn set_thawed(&mut self) -> Result<(), StateError> {
        self.frozen = false;
        self.files.as_ref().map_or(Ok(()), Files::unmark_frozen)
    }

    /// A handle that was never given before. It is on record before it is given, if there is one.
    pub fn next_handle(&mut self) -> Result<i64, StateError> {
        if self.next_handle >= self.recorded {
            self.record();
        }
        let handle = self.next_handle;
        if handle >= LAST_HANDLE {
            return Err(StateError::Exhausted);
        }
        self.next_handle = handle + 1;
        Ok(handle)
    }

    /// Puts the next handles on record. A disk that is full, or was made read-only, must not keep a client from looking after it.
    fn record(&mut self) {
        let Some(files) = &self.files else { return };
        match files.write_counter(self.next_handle.saturating_add(STEP)) {
            Ok(()) => self.kept = true,
            Err(error) => {
                if self.kept {
                    tracing::warn!("{error}; file handles are made from the clock");
                }
                self.forget();
            }
        }
        self.recorded = self.next_handle.saturating_add(STEP);
    }

    /// At the end of the agent: numbers that were put on record and not given can be given by the next one.
    pub fn close(&mut self) {
        if let Some(files) = self.files.take_if(|_| self.kept && !self.frozen && self.next_handle < self.recorded)
            && let Err(error) = files.write_counter(self.next_handle)
        {
            tracing::warn!("{error}");
        }
    }
}

impl Files {
    fn of(directory: &Path) -> Self {
        Files {
            directory: directory.to_owned(),
            counter: directory.join("qga.state"),
            frozen: directory.join("qga.state.isfrozen"),
        }
    }

    /// Written beside its place, brought to the disk and renamed: a crash, or a loss of power, leaves the old number or the
    /// new one.
    fn write_counter(&self, next: i64) -> Result<(), StateError> {
        let part = self.part();
        let text = format!("[{GROUP}]\n{COUNTER}={next}\n");
        let written = made_anew(&part)
            .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
            .and_then(|()| fs::rename(&part, &self.counter));
        written.map_err(|reason| StateError::Unwritable { path: self.counter.clone(), reason })?;
        self.sync_directory();
        Ok(())
    }

    /// Tries whether a file can be made, without a trace.
    fn touch(&self) -> Result<(), StateError> {
        let part = self.part();
        let touched = made_anew(&part).and_then(|_| fs::remove_file(&part));
        touched.map_err(|reason| StateError::Unwritable { path: self.counter.clone(), reason })
    }

    fn part(&self) -> PathBuf {
        self.counter.with_extension("state.part")
    }

    /// Not every file system can, and the record holds against all but a loss of power without it.
    fn sync_directory(&self) {
        if let Err(error) = File::open(&self.directory).and_then(|directory| directory.sync_all()) {
            tracing::debug!("{} cannot be brought to the disk: {error}", self.directory.display());
        }
    }

    fn mark_frozen(&self) -> Result<(), StateError> {
        let file = File::options().write(true).create(true).truncate(true).mode(0o600).open(&self.frozen);
        let mut file = file.map_err(|reason| StateError::Unwritable { path: self.frozen.clone(), reason })?;
        // It is there, which is what counts. Empty, as on a full disk, it is qemu-ga's.
        let written = file.write_all(boot().unwrap_or_default().as_bytes()).and_then(|()| file.sync_all());
        if let Err(error) = written {
            tracing::debug!("{} stays empty: {error}", self.frozen.display());
        }
        self.sync_directory();
        Ok(())
    }

    fn unmark_frozen(&self) -> Result<(), StateError> {
        match fs::remove_file(&self.frozen) {
            Err(reason) if reason.kind() != ErrorKind::NotFound => {
                Err(StateError::Unwritable { path: self.frozen.clone(), reason })
            }
            _ => Ok(()),
        }
    }

    /// Whether the flag is set. One of an earlier boot is taken away: no file system stays frozen over that. It was left by a
    /// machine that lost its power, or is part of the backup that the freeze was for.
    fn say_frozen(&self) -> bool {
        let said = match read(&self.frozen) {
            Ok(Some(said)) => said,
            Ok(None) => return false,
            Err(_) => return true,
        };
        let is_old = boot().is_some_and(|boot| is_of_another_boot(&said, boot.trim()));
        if is_old {
            tracing::warn!("{} is of an earlier boot: nothing is frozen any more", self.frozen.display());
            if let Err(error) = self.unmark_frozen() {
                tracing::warn!("{error}");
            }
        }
        !is_old
    }
}

/// Whether a frozen flag says of which boot it is, and that is not `boot`; or never reached the disk, of which a loss of power leaves
/// NULs. One that says something else may be damaged, and of this boot: who takes it for old writes to a frozen disk.
fn is_of_another_boot(said: &[u8], boot: &str) -> bool {
    if !said.is_empty() && said.iter().all(|byte| *byte == 0) {
        return true;
    }
    let said = std::str::from_utf8(said).unwrap_or_default().trim();
    let is_id = said.len() == boot.len() && said.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    is_id && !said.eq_ignore_ascii_case(boot)
}

/// A new file, whatever was at its path: a link there leads nowhere.
fn made_anew(path: &Path) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    File::options().write(true).create_new(true).mode(0o644).open(path)
}

/// Which boot of the kernel this is, with a newline; nothing where /proc does not tell.
fn boot() -> Option<String> {
    fs::read_to_string(BOOT_ID).ok()
}

/// A handle that no agent can have given that counted, nor one that began at an earlier time and gave less than a million a
/// second: microseconds since 1970.
fn beyond_counting() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX).clamp(BEYOND_COUNTING, MOST_COUNTED)
}

/// The bytes of a state file; nothing if there is none.
fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    // Asked before opening: to open a FIFO would wait for a writer.
    match fs::metadata(path) {
        Ok(found) if found.is_file() => {}
        Ok(_) => return Err(io::Error::other("not a regular file")),
        Err(error) if is_missing(&error) => return Ok(None),
        Err(error) => return Err(error),
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(LONGEST).read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}

/// What stands in a file, for the log: on one line.
fn one_line(text: &str) -> String {
    text.chars().take(QUOTED).map(|character| if character.is_control() { ' ' } else { character }).collect()
}

/// The number in the file; nothing if there is no file. An error says why the file tells nothing.
fn read_counter(path: &Path) -> Result<Option<i64>, String> {
    let Some(text) = read(path).map_err(|error| format!("cannot be read ({error})"))? else { return Ok(None) };
    if text.is_empty() {
        return Err("is empty".to_owned());
    }
    let broken = |reason: String| format!("is broken ({reason})");
    let file = KeyFile::parse(&text).map_err(|error| broken(one_line(&error.to_string())))?;
    let number = file.get(GROUP, COUNTER).map_err(|error| broken(error.to_string()))?;
    let number = number.ok_or_else(|| broken(format!("it has no {COUNTER}")))?;
    match number.trim_end().parse() {
        Ok(known @ 0..=MOST_COUNTED) => Ok(Some(known)),
        _ => Err(broken(format!("{COUNTER} is '{}'", one_line(number)))),
    }
}

#[cfg(test)]
mod tests;
