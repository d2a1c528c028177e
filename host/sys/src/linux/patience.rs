//! Questions that the kernel may never answer. They are asked by threads of their own, for a thread that waits for a server or
//! a disk that hangs cannot be called back. One that got its answer asks the next question too, if that comes soon.
//!
//! These threads have a table of open files of their own ([`keeper`]): what they open there is [`Kept`], and what must not be
//! closed by a thread that cannot wait stays there.

mod closers;
mod keeper;

pub(super) use closers::{FILES, PLACES};
pub use keeper::Held;
pub(super) use keeper::{Kept, give, start};

use nix::errno::Errno;
use std::collections::BTreeSet;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How many questions of one kind may be left without an answer at a time. It bounds the threads that a VM whose disks fail one
/// after the other, or whose users answer for file systems, can make the agent keep; with so many that hang, nobody misses the
/// sizes of the rest. Those of other kinds are still asked.
const LEFT: usize = 16;

/// The stack of such a thread, in bytes. It makes a few system calls.
const STACK: usize = 128 * 1024;

/// How long a thread that got its answer waits for the next question. Making a thread takes longer than most answers, and who wants
/// the sizes of file systems asks for several.
const REST: Duration = Duration::from_secs(1);

/// A question: what is asked, and of whom.
pub(super) type Question = (&'static str, Vec<u8>);

/// The agent's questions.
static QUESTIONS: Questions = Questions::new();

/// Asks, and waits for the answer as long as `patience` lasts; then `ETIMEDOUT`. A question that is still open is not asked
/// again before it is answered: it is `ETIMEDOUT` at once, as is every other while too many are open.
///
/// What hangs seldom hangs alone, so patience is shared with the questions of that kind that are open: a half of it beside one,
/// a third beside two. Otherwise sixteen file systems of one server would take sixteen times as long as one.
pub(super) fn ask<T: Send + 'static>(
    question: Question,
    patience: Duration,
    answer: impl FnOnce() -> Result<T, Errno> + Send + 'static,
) -> Result<T, Errno> {
    QUESTIONS.ask(question, Wait::Shared(patience), answer)
}

/// Has something done that takes its time, and waits for it as long as `limit` says, however much else is open; then
/// `ETIMEDOUT`. Nobody can call it back then: it goes on.
pub(super) fn have_done<T: Send + 'static>(
    question: Question,
    limit: Duration,
    act: impl FnOnce() -> Result<T, Errno> + Send + 'static,
) -> Result<T, Errno> {
    QUESTIONS.ask(question, Wait::Whole(limit), act)
}

/// How long an answer is waited for.
#[derive(Clone, Copy, Debug)]
enum Wait {
    /// So long if nothing else of its kind is open.
    Shared(Duration),
    /// So long.
    Whole(Duration),
}

/// What a thread is sent for: to ask, and to pass the answer on. It is told how the thread can be sent again, and tells whether the
/// thread may be.
struct Errand(Box<DynErrand>);

type DynErrand = dyn FnOnce(&Sender<Errand>) -> bool + Send;

/// The questions that are open, and who can ask the next.
struct Questions(Mutex<State>);

struct State {
    open: BTreeSet<Question>,
    /// A thread that has nothing to do. It is sent only by who holds the lock, and ends only after taking itself away from here.
    resting: Option<Sender<Errand>>,
}

impl Questions {
    const fn new() -> Self {
        Questions(Mutex::new(State { open: BTreeSet::new(), resting: None }))
    }

    fn ask<T: Send + 'static>(
        &'static self,
        question: Question,
        wait: Wait,
        answer: impl FnOnce() -> Result<T, Errno> + Send + 'static,
    ) -> Result<T, Errno> {
        let mut state = self.state();
        let others = state.open.iter().filter(|(kind, _)| *kind == question.0).count();
        if others >= LEFT || !state.open.insert(question.clone()) {
            return Err(Errno::ETIMEDOUT);
        }
        let (sender, receiver) = channel();
        let theirs = question.clone();
        let errand = Errand(Box::new(move |thread| {
            let answer = answer();
            let mut state = self.state();
            state.open.remove(&theirs);
            // Before the answer: who hears it and asks on shall find this thread.
            let may_rest = state.resting.is_none();
            if may_rest {
                state.resting = Some(thread.clone());
            }
            drop(state);
            // Nobody may wait for it any more.
            let _ = sender.send(answer);
            may_rest
        }));
        let sent = match state.resting.take() {
            Some(thread) => thread.send(errand).is_ok(),
            None => start("patience", STACK, move || self.run(errand)).is_ok(),
        };
        if !sent {
            state.open.remove(&question);
            return Err(Errno::EAGAIN);
        }
        drop(state);
        let patience = match wait {
            Wait::Shared(patience) => patience / (others as u32 + 1),
            Wait::Whole(limit) => limit,
        };
        receiver.recv_timeout(patience).unwrap_or(Err(Errno::ETIMEDOUT))
    }

    /// What a thread does from its first errand on.
    fn run(&self, first: Errand) {
        let (sender, receiver) = channel();
        let mut next = Some(first);
        while let Some(Errand(errand)) = next {
            next = if errand(&sender) { self.rest(&receiver) } else { None };
        }
    }

    /// The next errand; nothing if there is none for a while.
    fn rest(&self, errands: &Receiver<Errand>) -> Option<Errand> {
        errands.recv_timeout(REST).ok().or_else(|| {
            let mut state = self.state();
            // One may have come in the meantime; then this thread is no longer the one that rests.
            let late = errands.try_recv().ok();
            if late.is_none() {
                state.resting = None;
            }
            late
        })
    }

    /// Nothing panics while it holds them, so they are whole.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::Sender;
    use std::thread;
    use std::time::Instant;

    const MINUTE: Duration = Duration::from_secs(60);
    const LONG: Wait = Wait::Shared(MINUTE);
    const SHORT: Wait = Wait::Shared(Duration::from_millis(50));

    fn of(whom: &str) -> Question {
        ("test", whom.as_bytes().to_vec())
    }

    impl Questions {
        /// Asks something that is answered only when the sender is dropped.
        fn leave_open(&'static self, whom: &str) -> Sender<()> {
            let (sender, receiver) = channel::<()>();
            let answer = move || receiver.recv().map_err(|_| Errno::EIO);
            assert_eq!(self.ask(of(whom), SHORT, answer), Err(Errno::ETIMEDOUT));
            sender
        }

        fn until_answered(&self) {
            let end = Instant::now() + MINUTE;
            while !self.state().open.is_empty() {
                assert!(Instant::now() < end, "{:?} stay open", self.state().open);
                thread::sleep(Duration::from_millis(5));
            }
        }
    }

    #[test]
    fn an_answer_is_passed_on() {
        static IT: Questions = Questions::new();
        assert_eq!(IT.ask(of("one"), LONG, || Ok(7)), Ok(7));
        assert_eq!(IT.ask::<()>(of("one"), LONG, || Err(Errno::EIO)), Err(Errno::EIO));
    }

    #[test]
    fn the_thread_that_answered_asks_on_and_ends_when_nobody_asks() {
        static IT: Questions = Questions::new();
        let thread = || IT.ask(of("it"), LONG, || Ok(thread::current().id()));
        let first = thread();
        assert_eq!(thread(), first);
        // One that hangs is not waited for.
        let hanging = IT.leave_open("slow");
        assert_ne!(thread(), first);
        drop(hanging);
        let end = Instant::now() + MINUTE;
        while IT.state().resting.is_some() {
            assert!(Instant::now() < end, "it rests for ever");
            thread::sleep(REST / 10);
        }
        assert!(thread().is_ok());
    }

    #[test]
    fn a_thread_asks_on_however_late_the_next_question_comes() {
        static IT: Questions = Questions::new();
        for pause in [0, 999, 1000, 1001, 1002, 0] {
            assert_eq!(IT.ask(of("it"), LONG, || Ok(7)), Ok(7));
            thread::sleep(Duration::from_millis(pause));
        }
    }

    #[test]
    fn who_owes_an_answer_is_not_asked_again() {
        static IT: Questions = Questions::new();
        let hanging = IT.leave_open("slow");
        let asked = Instant::now();
        assert_eq!(IT.ask(of("slow"), LONG, || Ok(7)), Err(Errno::ETIMEDOUT));
        assert!(asked.elapsed() < MINUTE / 2);
        assert_eq!(IT.ask(of("other"), LONG, || Ok(7)), Ok(7));
        drop(hanging);
        IT.until_answered();
        assert_eq!(IT.ask(of("slow"), LONG, || Ok(7)), Ok(7));
    }

    #[test]
    fn the_more_are_open_the_shorter_the_wait() {
        static IT: Questions = Questions::new();
        let hanging: Vec<_> = (0..3).map(|number| IT.leave_open(&number.to_string())).collect();
        let asked = Instant::now();
        let (_never, receiver) = channel::<()>();
        let answer = move || receiver.recv().map_err(|_| Errno::EIO);
        assert_eq!(IT.ask(of("one more"), Wait::Shared(MINUTE / 15), answer), Err(Errno::ETIMEDOUT));
        assert!((MINUTE / 60..MINUTE / 15).contains(&asked.elapsed()), "{:?}", asked.elapsed());
        drop(hanging);
    }

    #[test]
    fn only_so_many_are_left_open() {
        static IT: Questions = Questions::new();
        let hanging: Vec<_> = (0..LEFT).map(|number| IT.leave_open(&number.to_string())).collect();
        assert_eq!(IT.ask(of("one more"), LONG, || Ok(7)), Err(Errno::ETIMEDOUT));
        assert_eq!(IT.ask(("other", b"one more".to_vec()), LONG, || Ok(7)), Ok(7), "of another kind");
        drop(hanging);
        IT.until_answered();
        assert_eq!(IT.ask(of("one more"), LONG, || Ok(7)), Ok(7));
    }

    #[test]
    fn what_has_a_limit_of_its_own_does_not_share_it() {
        static IT: Questions = Questions::new();
        let hanging: Vec<_> = (0..5).map(|number| IT.leave_open(&number.to_string())).collect();
        let takes_a_while = || {
            thread::sleep(Duration::from_millis(300));
            Ok(7)
        };
        assert_eq!(IT.ask(of("shared"), Wait::Shared(MINUTE / 200), takes_a_while), Err(Errno::ETIMEDOUT));
        assert_eq!(IT.ask(of("whole"), Wait::Whole(MINUTE), takes_a_while), Ok(7));
        drop(hanging);
    }
}
