//! One change at a time.

use crate::{StoreError, disk};
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use std::fs::File;
use std::io::{Read, Seek, Write};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

/// How long a change waits for another. It bounds how long a tool stands still behind one that hangs; a change takes
/// some milliseconds, and on a slow disk with much machine code perhaps some seconds.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// How often the lock is tried. It bounds what waiting costs, and how much later than necessary it ends; nobody notices
/// a fiftieth of a second after an installation.
const PAUSE: Duration = Duration::from_millis(20);

/// How much of the lock file is read to tell who holds it, in bytes. It bounds what a file that is none of ours costs;
/// a process number and what it does have a hundred.
const HOLDER: u64 = 512;

/// The lock of a store, as long as it lives. The kernel lets it go when its process ends, however it ends.
pub(crate) struct Lock(#[expect(dead_code, reason = "it is held, not used")] Flock<File>);

impl Lock {
    /// Waits for it. `what` tells others who wait what is being done.
    pub(crate) fn wait(path: &Path, what: &str, patience: Duration) -> Result<Self, StoreError> {
        let end = Instant::now() + patience;
        let mut file = disk::open_lock(path)?;
        loop {
            match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
                Ok(held) => return Ok(Lock(signed(held, what))),
                Err((back, Errno::EAGAIN | Errno::EINTR)) if Instant::now() < end => file = back,
                Err((back, Errno::EAGAIN | Errno::EINTR)) => return Err(busy(back, path)),
                Err((_, errno)) => {
                    return Err(StoreError::Io { what: "lock", path: path.to_owned(), source: errno.into() });
                }
            }
            thread::sleep(PAUSE);
        }
    }

    /// Takes it if nobody else has it.
    pub(crate) fn attempt(path: &Path, what: &str) -> Result<Option<Self>, StoreError> {
        match Lock::wait(path, what, Duration::ZERO) {
            Err(StoreError::Busy { .. }) => Ok(None),
            outcome => outcome.map(Some),
        }
    }
}

/// Writes into the file who holds it. On a full disk nobody can be told, and work goes on all the same.
fn signed(mut held: Flock<File>, what: &str) -> Flock<File> {
    let text = format!("process {} ({what})\n", std::process::id());
    let _ = held.set_len(0).and_then(|()| held.rewind()).and_then(|()| held.write_all(text.as_bytes()));
    held
}

fn busy(file: File, path: &Path) -> StoreError {
    let mut holder = String::new();
    // Told if it can be read; the file's whole meaning is the lock on it.
    let _ = file.take(HOLDER).read_to_string(&mut holder);
    let holder = holder.lines().next().filter(|line| !line.is_empty()).unwrap_or("another process").to_owned();
    StoreError::Busy { path: path.to_owned(), holder }
}
