//! A table of open files that is not the agent's, and the threads that share it.
//!
//! A thread that waits for ever outlives the agent, for it cannot be killed. Were the agent's table its table too, the channel
//! would stay open with it, and no other agent could take that. And closing a file can wait for ever as well (FUSE and NFS are
//! asked at each close), when the agent ends too: so what a server that may hang has a say in is open in this other table only,
//! and is closed by a thread that may wait.
//!
//! One thread, the keeper, owns the table and never waits for a file system. It starts the others, and passes descriptors from
//! one table to the other (unix(7), SCM_RIGHTS).

use super::closers::{Closers, FILES, PLACES};
use nix::cmsg_space;
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl, open};
use nix::libc;
use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::SigSet;
use nix::sys::socket::{
    AddressFamily, ControlMessage, ControlMessageOwned, MsgFlags, SockFlag, SockType, recvmsg, sendmsg, socketpair,
};
use nix::sys::stat::Mode;
use std::io::{IoSlice, IoSliceMut};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

/// The keeper's stack, and a closing thread's, in bytes.
const STACK: usize = 64 * 1024;

/// A descriptor in the other table. Wherever it is dropped, a thread of that table closes it, and nobody waits for that.
#[derive(Debug)]
pub struct Kept {
    number: RawFd,
    /// Whether it was opened to be read or written: its server is asked when it is closed.
    is_file: bool,
}

/// A descriptor, in one of the two tables.
#[derive(Debug)]
pub enum Held {
    /// In the agent's. Its file system answers at once.
    Ours(OwnedFd),
    /// In the other.
    Theirs(Arc<Kept>),
}

/// What the keeper is asked for.
enum Wish {
    /// To start a thread.
    Start(&'static str, usize, Box<dyn FnOnce() + Send>, Sender<Result<(), Errno>>),
    /// To send the agent a descriptor, and to keep none. It must be one whose closing nobody waits for.
    Send(RawFd, Sender<Result<(), Errno>>),
    /// To receive so many descriptors that the agent has sent, or as many of them as there is room for.
    Receive(usize, Sender<Result<Vec<Kept>, Errno>>),
    /// To start a thread that closes, if one is needed.
    Attend(&'static Closers),
}

/// The agent's side. One wish at a time is on its way.
struct Keeper {
    wishes: Sender<Wish>,
    socket: OwnedFd,
}

static KEEPER: Mutex<Option<Keeper>> = Mutex::new(None);

/// The way to the keeper for wishes that have no answer. The keeper itself may have them, while somebody waits for its answer.
static WISHES: OnceLock<Sender<Wish>> = OnceLock::new();

impl Kept {
    /// Keeps what was opened. To be called by a thread of the other table.
    pub(in crate::linux) fn new(descriptor: OwnedFd) -> Self {
        let flags = fcntl(&descriptor, FcntlArg::F_GETFL);
        let is_file = !flags.is_ok_and(|flags| OFlag::from_bits_retain(flags).contains(OFlag::O_PATH));
        Kept { number: descriptor.into_raw_fd(), is_file }
    }

    /// Keeps a copy of what the agent has open.
    fn copied(descriptor: OwnedFd) -> Self {
        Kept { number: descriptor.into_raw_fd(), is_file: false }
    }

    /// It. To be called by a thread of the other table: in the agent's, the number is another file's.
    pub(in crate::linux) fn here(&self) -> BorrowedFd<'_> {
        // SAFETY: the number is this descriptor's in the table of the threads that call this, and stays it until `self` is
        // dropped.
        #[expect(unsafe_code, reason = "a descriptor that is known by its number alone")]
        unsafe {
            BorrowedFd::borrow_raw(self.number)
        }
    }

    /// Its number there, which tells it from all others that are open.
    pub(in crate::linux) fn number(&self) -> RawFd {
        self.number
    }

    /// Closes it. To be called by a thread of the other table, and only for what is closed without waiting.
    pub(in crate::linux) fn close(self) {
        let number = self.give_up();
        close(number);
    }

    /// Closes it, and waits for what its server says to that as long as patience lasts; then `ETIMEDOUT`, and a thread goes on
    /// waiting. Patience is shared with those that are being closed, as with questions.
    pub(in crate::linux) fn close_and_hear(self, patience: Duration) -> Result<(), Errno> {
        let (answer, others) = self.have_closed();
        std::mem::forget(self);
        answer.recv_timeout(patience / (others as u32 + 1)).unwrap_or(Err(Errno::ETIMEDOUT))
    }

    /// Has it closed. Afterwards it is nobody's.
    fn have_closed(&self) -> (Receiver<Result<(), Errno>>, usize) {
        let closers = if self.is_file { &FILES } else { &PLACES };
        let (answer, others, needs_thread) = closers.close(self.number);
        // Without the keeper there is no such table.
        if needs_thread && let Some(wishes) = WISHES.get() {
            let _ = wishes.send(Wish::Attend(closers));
        }
        (answer, others)
    }

    /// Its number. Who asks for it sees to its end.
    fn give_up(self) -> RawFd {
        let number = self.number;
        std::mem::forget(self);
        number
    }

    /// Brings it into the agent's table. Only for what is closed without waiting.
    pub(in crate::linux) fn take(self) -> Result<OwnedFd, Errno> {
        let number = self.give_up();
        with_keeper(|keeper| {
            ask(keeper, |told| Wish::Send(number, told))?;
            receive(&keeper.socket)
        })
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        let _ = self.have_closed();
    }
}

impl From<OwnedFd> for Held {
    fn from(descriptor: OwnedFd) -> Self {
        Held::Ours(descriptor)
    }
}

/// Has copies of these few descriptors made in the other table.
pub(in crate::linux) fn give(descriptors: &[BorrowedFd<'_>]) -> Result<Vec<Kept>, Errno> {
    if descriptors.is_empty() {
        return Ok(Vec::new());
    }
    with_keeper(|keeper| {
        // What could not be sent is not received either, but what was before it is.
        let mut sent = descriptors.iter().map(|descriptor| send(&keeper.socket, descriptor.as_raw_fd()));
        let count = sent.by_ref().take_while(Result::is_ok).count();
        let received = ask(keeper, |told| Wish::Receive(count, told))?;
        if received.len() == descriptors.len() { Ok(received) } else { Err(Errno::EMFILE) }
    })
}

/// Starts a thread that shares the other table. Signals do not come to it: their handlers write to files of the agent's.
pub(in crate::linux) fn start(
    name: &'static str,
    stack: usize,
    work: impl FnOnce() + Send + 'static,
) -> Result<(), Errno> {
    with_keeper(|keeper| ask(keeper, |told| Wish::Start(name, stack, Box::new(work), told)))
}

fn with_keeper<T>(act: impl FnOnce(&Keeper) -> Result<T, Errno>) -> Result<T, Errno> {
    let mut keeper = lock();
    match &*keeper {
        Some(keeper) => act(keeper),
        None => act(keeper.insert(Keeper::start()?)),
    }
}

/// Nothing panics while it holds it, so it is whole.
fn lock() -> MutexGuard<'static, Option<Keeper>> {
    KEEPER.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The keeper's answer. It is quick.
fn ask<T>(keeper: &Keeper, wish: impl FnOnce(Sender<Result<T, Errno>>) -> Wish) -> Result<T, Errno> {
    let (told, answer) = channel();
    keeper.wishes.send(wish(told)).map_err(|_| Errno::EIO)?;
    answer.recv().unwrap_or(Err(Errno::EIO))
}

impl Keeper {
    fn start() -> Result<Self, Errno> {
        let (ours, theirs) = socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC)?;
        let number = theirs.as_raw_fd();
        let (wishes, received) = channel();
        let (ready, is_ready) = channel();
        let live = move || {
            let left = SigSet::all().thread_block().and_then(|()| leave_table(number));
            let serves = left.is_ok();
            let _ = ready.send(left);
            if serves {
                serve(&received, number);
            }
        };
        thread::Builder::new().name("keeper".to_owned()).stack_size(STACK).spawn(live).map_err(super::super::errno)?;
        if is_ready.recv().unwrap_or(Err(Errno::EIO))? {
            // In the agent's table nobody needs it any more.
            drop(theirs);
        } else {
            // The keeper has it.
            let _ = theirs.into_raw_fd();
        }
        let _ = WISHES.set(wishes.clone());
        Ok(Keeper { wishes, socket: ours })
    }
}

/// Gives this thread a table of its own, with nothing in it but the descriptor of this number, and /dev/null where programs
/// have their streams: a file that came to be there could not be moved to where it belongs. Tells whether it has.
///
/// Filters of containers' runtimes refuse unshare(2) whatever it is to unshare. Then these threads share the agent's table: they
/// wait in its place as before, but one that waits for ever keeps open what the agent has open.
fn leave_table(number: RawFd) -> Result<bool, Errno> {
    match unshare(CloneFlags::CLONE_FILES) {
        Err(Errno::EPERM | Errno::ENOSYS) => return Ok(false),
        unshared => unshared?,
    }
    let number = number.unsigned_abs();
    if let Some(before) = number.checked_sub(1) {
        close_all(0, before);
    }
    close_all(number + 1, u32::MAX);
    while let Ok(null) = open("/dev/null", OFlag::O_RDWR | OFlag::O_CLOEXEC, Mode::empty()) {
        if null.as_raw_fd() > 2 {
            break;
        }
        let _ = null.into_raw_fd();
    }
    Ok(true)
}

/// Closes what is open under these numbers. Nothing of it is waited for: it is open in the agent's table too.
fn close_all(first: u32, last: u32) {
    // SAFETY: three numbers; the table is this thread's alone, and nothing in it has an owner here.
    #[expect(unsafe_code, reason = "a system call")]
    let closed = unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) };
    if closed == 0 {
        return;
    }
    // A kernel older than 5.9.
    let Ok(entries) = std::fs::read_dir("/proc/thread-self/fd") else { return };
    let numbers: Vec<u32> = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    for number in numbers.into_iter().filter(|number| (first..=last).contains(number)) {
        // SAFETY: as above; of the folder's own, which is closed by now, the call says that there is none.
        #[expect(unsafe_code, reason = "these descriptors have no owner that could be named")]
        let _ = unsafe { libc::close(number.cast_signed()) };
    }
}

/// The keeper's life.
fn serve(wishes: &Receiver<Wish>, number: RawFd) {
    // SAFETY: it was left open for just this, in a table where nobody else knows it or by an owner who has given it up.
    #[expect(unsafe_code, reason = "the number came from another table")]
    let socket = unsafe { OwnedFd::from_raw_fd(number) };
    // Nobody may wait for an answer any more.
    for wish in wishes {
        match wish {
            Wish::Start(name, stack, work, told) => {
                let started = thread::Builder::new().name(name.to_owned()).stack_size(stack).spawn(work);
                let _ = told.send(started.map(drop).map_err(super::super::errno));
            }
            Wish::Send(number, told) => {
                let sent = send(&socket, number);
                close(number);
                let _ = told.send(sent);
            }
            Wish::Receive(count, told) => {
                let received: Vec<_> = (0..count).filter_map(|_| receive(&socket).ok()).map(Kept::copied).collect();
                let _ = told.send(Ok(received));
            }
            Wish::Attend(closers) => closers.attend(|work| {
                thread::Builder::new().name("closer".to_owned()).stack_size(STACK).spawn(work).map(drop)
            }),
        }
    }
}

fn close(number: RawFd) {
    // SAFETY: the number was a `Kept`'s, which is gone, so nobody else uses it; and this thread shares the table it is in.
    #[expect(unsafe_code, reason = "a descriptor that is known by its number alone")]
    drop(unsafe { OwnedFd::from_raw_fd(number) });
}

/// One at a time: of several for which there is no room, some would be open without an owner.
fn send(socket: &OwnedFd, number: RawFd) -> Result<(), Errno> {
    let rights = [ControlMessage::ScmRights(&[number])];
    sendmsg::<()>(socket.as_raw_fd(), &[IoSlice::new(b"f")], &rights, MsgFlags::MSG_DONTWAIT, None).map(drop)
}

/// What was sent just before. `EMFILE` if there is no room for it.
fn receive(socket: &OwnedFd) -> Result<OwnedFd, Errno> {
    let (mut byte, mut space) = ([0], cmsg_space!([RawFd; 1]));
    let mut parts = [IoSliceMut::new(&mut byte)];
    let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_CMSG_CLOEXEC;
    let message = recvmsg::<()>(socket.as_raw_fd(), &mut parts, Some(&mut space), flags)?;
    let controls = message.cmsgs().map_err(|_| Errno::EMFILE)?;
    let mut numbers = controls.filter_map(|control| match control {
        ControlMessageOwned::ScmRights(numbers) => numbers.first().copied(),
        _ => None,
    });
    let number = numbers.next().ok_or(Errno::EMFILE)?;
    // SAFETY: the kernel has just made this descriptor for whoever receives the message, which is this thread.
    #[expect(unsafe_code, reason = "recvmsg(2) tells a descriptor by its number")]
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linux::filter::{alone, refuse_all};
    use crate::linux::patience;
    use std::time::{Duration, Instant};

    const LONG: Duration = Duration::from_secs(60);

    /// The numbers that are open in a table: this thread's, or one of the other's.
    fn open_here() -> Vec<String> {
        let entries = std::fs::read_dir("/proc/thread-self/fd").unwrap().flatten();
        entries.map(|entry| std::fs::read_link(entry.path()).unwrap_or_default().display().to_string()).collect()
    }

    fn open_there() -> Vec<String> {
        patience::have_done(("table", format!("{:?}", thread::current().id()).into_bytes()), LONG, || Ok(open_here()))
            .unwrap()
    }

    #[test]
    fn where_the_table_cannot_be_left_it_is_shared() {
        alone("linux::patience::keeper::tests::where_the_table_cannot_be_left_it_is_shared", || {
            refuse_all(&[libc::SYS_unshare]);
            let opened = || std::fs::File::open("/dev/null").map(|file| Kept::new(file.into())).map_err(|_| Errno::EIO);
            let kept = patience::have_done(("keep", b"shared".to_vec()), LONG, opened).unwrap();
            let taken = kept.take().unwrap();
            let given = give(&[std::os::fd::AsFd::as_fd(&taken)]).unwrap();
            assert_eq!(given.len(), 1);
            assert!(open_here().iter().filter(|name| *name == "/dev/null").count() >= 2, "both are in one table");
            let rest = patience::have_done(("rest", b"shared".to_vec()), LONG, || Ok(open_here().len()));
            assert!(rest.unwrap() >= 2);
        });
    }

    #[test]
    fn what_is_opened_there_is_not_open_here_until_it_is_taken() {
        let path = std::env::temp_dir().join(format!("bulkhead-keeper-{}", std::process::id()));
        std::fs::write(&path, "text").unwrap();
        let mine = path.clone();
        let open_it = move || std::fs::File::open(&mine).map(|file| Kept::new(file.into())).map_err(|_| Errno::EIO);
        let kept = patience::have_done(("keep", b"one".to_vec()), LONG, open_it).unwrap();
        let is_it = |name: &String| *name == path.display().to_string();
        assert!(open_there().iter().any(is_it) && !open_here().iter().any(is_it));
        let taken = kept.take().unwrap();
        assert!(!open_there().iter().any(is_it) && open_here().iter().any(is_it));
        let given = give(&[std::os::fd::AsFd::as_fd(&taken)]).unwrap();
        assert!(open_there().iter().any(is_it));
        drop(given);
        let end = Instant::now() + LONG;
        while open_there().iter().any(is_it) {
            assert!(Instant::now() < end, "it is not closed");
        }
        assert!(open_here().iter().any(is_it));
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn the_agents_files_are_not_open_there_and_signals_do_not_go_there() {
        let file = std::fs::File::open("/etc/passwd").unwrap();
        let there = open_there();
        assert!(!there.contains(&"/etc/passwd".to_owned()), "{there:?}");
        assert!(there.iter().filter(|name| *name == "/dev/null").count() >= 2, "{there:?}");
        drop(file);
        let mask = || SigSet::thread_get_mask();
        let there = patience::have_done(("mask", Vec::new()), LONG, mask).unwrap();
        assert!(there.contains(nix::sys::signal::Signal::SIGTERM) && there.contains(nix::sys::signal::Signal::SIGCHLD));
    }
}
