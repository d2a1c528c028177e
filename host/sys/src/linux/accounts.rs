//! Users' keys, with the users' rights.

mod folders;
mod keys;
mod rights;

use super::{Linux, patience};
use crate::{Accounts, KeysError};
use nix::errno::Errno;
pub(super) use rights::Account;
use std::convert::Infallible;
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError, sync_channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The stack of a thread that looks a user up, in bytes: modules of the C library expect what programs usually have.
const STACK: usize = 2 * 1024 * 1024;

/// How long the user database and the home folder may take together. Both may be on a server that is slow or gone, or
/// behind a driver that the user wrote; local ones take milliseconds. Clients give up after five seconds or ten.
const PATIENCE: Duration = Duration::from_secs(10);

/// How many threads that have not come back in time are kept waiting. It bounds what users whose homes hang can make the
/// agent hold, at 2 MiB of address space each; while there are so many, nobody's keys are read or written.
const LATE_LIMIT: usize = 8;

/// These threads, and whose homes they wait for. As long as one does, no other is begun for that user; the keys of others
/// are not held up by it.
static LATE: Mutex<Vec<Late>> = Mutex::new(Vec::new());

/// Whose home is waited for, and what tells that it is not any more.
type Late = (String, Receiver<Infallible>);

impl Accounts for Linux {
    fn read_keys(&self, user: &str, limit: usize) -> Result<Vec<u8>, KeysError> {
        as_user(user, move |account| keys::read(&account.home, limit))
    }

    fn write_keys(&self, user: &str, text: &[u8]) -> Result<(), KeysError> {
        let text = text.to_vec();
        as_user(user, move |account| keys::replace(&account.home, &text))
    }
}

/// Who the user is. Waits for the user database, but not for ever.
pub(super) fn find(user: &str) -> Result<Account, KeysError> {
    let name = user.to_owned();
    in_thread(user, PATIENCE, move || Account::find(&name))
}

/// Does `act` with the rights of the user, in a thread that has no others and ends with it.
fn as_user<T: Send + 'static>(
    user: &str,
    act: impl FnOnce(&Account) -> Result<T, KeysError> + Send + 'static,
) -> Result<T, KeysError> {
    let name = user.to_owned();
    in_thread(user, PATIENCE, move || {
        let account = Account::find(&name)?;
        account.take_on_rights().map_err(KeysError::NotUser)?;
        act(&account)
    })
}

/// Does `act` for a user in a thread of its own and waits for it, but not for ever. The thread has the usual stack, for
/// looking a user up may be much work, and is over soon after an answer is given: nothing runs on with a user's rights. It has
/// no part in the agent's open files, so that one which never comes back does not hold the channel. All who look up users have
/// the same table of files: modules of the C library keep connections open under their numbers.
fn in_thread<T: Send + 'static>(
    user: &str,
    patience: Duration,
    act: impl FnOnce() -> Result<T, KeysError> + Send + 'static,
) -> Result<T, KeysError> {
    if is_owed(user) {
        return Err(KeysError::TimedOut);
    }
    let (answer, answered) = sync_channel(1);
    let (lives, ended) = sync_channel::<Infallible>(0);
    let work = move || {
        // Nobody may be waiting for it any more.
        drop(answer.send(act()));
        drop(lives);
    };
    patience::start("user", STACK, work).map_err(KeysError::NotUser)?;
    match answered.recv_timeout(patience) {
        Err(RecvTimeoutError::Timeout) => {
            late().push((user.to_owned(), ended));
            Err(KeysError::TimedOut)
        }
        // If it panicked, it has given no answer.
        outcome => outcome.unwrap_or(Err(KeysError::NotUser(Errno::EIO))),
    }
}

/// Whether the user's home, or too many others, still have to answer.
fn is_owed(user: &str) -> bool {
    let mut late = late();
    late.retain(|(_, ended)| ended.try_recv() == Err(TryRecvError::Empty));
    late.len() >= LATE_LIMIT || late.iter().any(|(other, _)| other == user)
}

/// Nothing panics while it holds them, so they are whole.
fn late() -> MutexGuard<'static, Vec<Late>> {
    LATE.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::sync::mpsc::{Sender, channel};

    /// A folder of one test, in the place of the root.
    pub(super) struct Scratch(pub(super) PathBuf);

    impl Scratch {
        pub(super) fn new() -> Self {
            static NEXT: AtomicU32 = AtomicU32::new(0);
            let unique = format!("bulkhead-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
            let path = std::env::temp_dir().join(unique);
            std::fs::create_dir(&path).unwrap();
            Scratch(path)
        }

        /// Makes a folder in it, and what leads there.
        pub(super) fn folder(&self, path: &str) -> PathBuf {
            let folder = self.0.join(path);
            std::fs::create_dir_all(&folder).unwrap();
            folder
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    /// Waits in vain for `user`, whose home answers when the sender is dropped.
    fn leave_waiting(user: &str) -> Sender<()> {
        let (sender, receiver) = channel::<()>();
        let hangs = move || receiver.recv().map_err(|_| KeysError::NoUser);
        assert_eq!(in_thread(user, Duration::from_millis(20), hangs), Err(KeysError::TimedOut));
        sender
    }

    /// One test, since what comes late is noted once for the whole process. Others do without it, or try again.
    #[test]
    fn a_home_that_hangs_is_given_up_and_not_asked_again_until_it_answers() {
        assert_eq!(in_thread("a", PATIENCE, || Ok(7)), Ok(7));
        let mut hanging = vec![leave_waiting("a")];
        assert_eq!(in_thread("a", PATIENCE, || Ok(7)), Err(KeysError::TimedOut), "at once");
        assert_eq!(in_thread("b", PATIENCE, || Ok(7)), Ok(7), "others are not held up");
        hanging.extend((1..LATE_LIMIT).map(|number| leave_waiting(&number.to_string())));
        assert_eq!(in_thread("b", PATIENCE, || Ok(7)), Err(KeysError::TimedOut), "but for too many");
        drop(hanging);
        while is_owed("a") {
            std::thread::yield_now();
        }
        assert_eq!(in_thread("a", PATIENCE, || Ok(8)), Ok(8));
    }

    #[test]
    fn an_unknown_user_is_no_user() {
        for user in ["no-such-user", "", "root\0", "no\nsuch", &"x".repeat(10_000)] {
            let mut found = Err(KeysError::TimedOut);
            while found == Err(KeysError::TimedOut) {
                found = Linux.read_keys(user, 1);
            }
            assert_eq!(found, Err(KeysError::NoUser), "{user:.20}");
        }
    }
}
