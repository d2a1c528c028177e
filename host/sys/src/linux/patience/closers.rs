//! Closing what is open in the other table. A server may be asked at close(2), to take what was written or to hear that the
//! file is done with, and may never answer. So every descriptor is closed by a thread that may wait, and waits for none that hangs.

use super::LEFT;
use nix::errno::Errno;
use nix::unistd::close;
use std::collections::VecDeque;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long a thread that has closed one waits for the next. Making a thread takes longer than most closings.
const REST: Duration = Duration::from_secs(1);

/// How long an opening waits where as many closings as are left open have begun: those of a healthy server, as when a module
/// that had many files open is removed, over by then. The first opening that is refused makes other clients wait so long; the
/// next are refused at once.
const BRIEF: Duration = Duration::from_millis(300);

/// Files that were opened to be read or written: their servers are asked.
pub(in crate::linux) static FILES: Closers = Closers::new();

/// All others: what is only held (O_PATH), of which no server is asked at close(2), and copies of what the agent has open. They
/// have threads of their own, so that paths are looked up and programs started however many files hang.
pub(in crate::linux) static PLACES: Closers = Closers::new();

/// The descriptors of one kind that are to be closed, and the threads that do it, up to [`LEFT`].
pub(in crate::linux) struct Closers {
    state: Mutex<State>,
    is_asked: Condvar,
    has_closed: Condvar,
}

struct State {
    waiting: VecDeque<Closing>,
    threads: usize,
    /// Of the threads those that close nothing at the moment. Each comes for what is waiting.
    idle: usize,
    /// Whether somebody has waited in vain since one was closed last.
    is_stuck: bool,
}

/// A descriptor that has no owner any more, and who wants to hear what close(2) said.
struct Closing(RawFd, Sender<Result<(), Errno>>);

impl State {
    /// What is still open.
    fn unclosed(&self) -> usize {
        self.waiting.len() + self.threads - self.idle
    }

    fn needs_thread(&self) -> bool {
        self.waiting.len() > self.idle && self.threads < LEFT
    }
}

impl Closers {
    const fn new() -> Self {
        let state = State { waiting: VecDeque::new(), threads: 0, idle: 0, is_stuck: false };
        Closers { state: Mutex::new(state), is_asked: Condvar::new(), has_closed: Condvar::new() }
    }

    /// `ETIMEDOUT` while so many hang that another, once open, would stay open with them: then nothing more is opened, and the
    /// table does not fill up.
    pub(in crate::linux) fn room(&self) -> Result<(), Errno> {
        let hang = |state: &mut State| state.unclosed() >= LEFT && !state.is_stuck;
        let waited = self.has_closed.wait_timeout_while(self.state(), BRIEF, hang);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state.is_stuck = state.unclosed() >= LEFT;
        if state.is_stuck { Err(Errno::ETIMEDOUT) } else { Ok(()) }
    }

    /// Has a descriptor closed, of which this was the owner. Tells where the answer comes, how many others are still open, and
    /// whether there must be another thread for it ([`Closers::attend`]).
    pub(super) fn close(&self, number: RawFd) -> (Receiver<Result<(), Errno>>, usize, bool) {
        let (told, answer) = channel();
        let mut state = self.state();
        let others = state.unclosed();
        state.waiting.push_back(Closing(number, told));
        self.is_asked.notify_one();
        (answer, others, state.needs_thread())
    }

    /// Starts another thread, by `start`, if one is needed. To be called by a thread of the other table.
    pub(super) fn attend(&'static self, start: impl FnOnce(Box<dyn FnOnce() + Send>) -> std::io::Result<()>) {
        let mut state = self.state();
        // If there is none to be had, what is open waits until the next is closed.
        if state.needs_thread() && start(Box::new(|| self.run())).is_ok() {
            state.threads += 1;
            state.idle += 1;
        }
    }

    /// What a thread does.
    fn run(&self) {
        while let Some(Closing(number, told)) = self.next() {
            // SAFETY: the number was that of a descriptor of this table whose owner gave it up for this.
            #[expect(unsafe_code, reason = "a descriptor that is known by its number alone")]
            let closed = close(unsafe { OwnedFd::from_raw_fd(number) });
            let mut state = self.state();
            state.idle += 1;
            state.is_stuck = false;
            drop(state);
            self.has_closed.notify_all();
            // Nobody may want to know.
            let _ = told.send(closed);
        }
    }

    /// The next that is to be closed; nothing if there is none for a while.
    fn next(&self) -> Option<Closing> {
        let no_one = |state: &mut State| state.waiting.is_empty();
        let waited = self.is_asked.wait_timeout_while(self.state(), REST, no_one);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state.idle -= 1;
        let next = state.waiting.pop_front();
        if next.is_none() {
            state.threads -= 1;
        }
        next
    }

    /// Nothing panics while it holds it, so it is whole.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::IntoRawFd;
    use std::thread;
    use std::time::Instant;

    const LONG: Duration = Duration::from_secs(60);

    fn null() -> RawFd {
        std::fs::File::open("/dev/null").unwrap().into_raw_fd()
    }

    fn attend(closers: &'static Closers) {
        closers.attend(|work| thread::Builder::new().spawn(work).map(drop));
    }

    #[test]
    fn each_is_closed_and_threads_end_when_nothing_is_left() {
        static IT: Closers = Closers::new();
        for _ in 0..LEFT * 3 {
            let (answer, _, is_needed) = IT.close(null());
            if is_needed {
                attend(&IT);
            }
            assert_eq!(answer.recv_timeout(LONG), Ok(Ok(())));
        }
        assert_eq!(IT.room(), Ok(()));
        let end = Instant::now() + LONG;
        while IT.state().threads > 0 {
            assert!(Instant::now() < end, "they rest for ever");
            thread::sleep(REST / 10);
        }
    }

    #[test]
    fn what_close_says_is_told() {
        static IT: Closers = Closers::new();
        let (answer, _, is_needed) = IT.close(RawFd::MAX);
        assert!(is_needed);
        attend(&IT);
        assert_eq!(answer.recv_timeout(LONG), Ok(Err(Errno::EBADF)));
    }

    #[test]
    fn nothing_more_is_opened_while_too_many_are_left_and_threads_are_bounded() {
        static IT: Closers = Closers::new();
        let answers: Vec<_> = (0..LEFT + 4).map(|_| IT.close(null())).collect();
        assert_eq!(answers.iter().map(|it| it.1).collect::<Vec<_>>(), (0..LEFT + 4).collect::<Vec<_>>());
        assert_eq!(IT.room(), Err(Errno::ETIMEDOUT));
        let begin = Instant::now();
        for _ in 0..LONG.as_millis() / BRIEF.as_millis() {
            assert_eq!(IT.room(), Err(Errno::ETIMEDOUT));
        }
        assert!(begin.elapsed() < LONG / 2, "each is waited for: {:?}", begin.elapsed());
        let mut started = 0;
        for _ in 0..LEFT * 2 {
            // They do nothing yet.
            IT.attend(|_| {
                started += 1;
                Ok(())
            });
        }
        assert_eq!(started, LEFT);
        thread::spawn(|| IT.run());
        for (answer, _, _) in answers {
            assert_eq!(answer.recv_timeout(LONG), Ok(Ok(())));
        }
        assert_eq!(IT.room(), Ok(()));
    }
}
