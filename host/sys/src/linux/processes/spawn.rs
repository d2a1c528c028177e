//! Starting a program.

use super::super::patience::{self, Held, Kept};
use super::exactly::{self, Program};
use super::user::User;
use crate::{Manner, Output, Spawn, Spawned};
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl, open};
use nix::libc;
use nix::spawn::{PosixSpawnAttr, PosixSpawnFileActions, PosixSpawnFlags, posix_spawn};
use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::stat::Mode;
use nix::sys::wait::waitpid;
use nix::unistd::{Pid, SysconfVar, pipe2, sysconf};
use std::ffi::{CStr, CString};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStringExt;
use std::sync::Arc;
use std::time::Duration;

/// What runs a file that the kernel does not know how to run, as execvp(3) has it: a script without `#!`.
const SHELL: &CStr = c"/bin/sh";

/// Has a program lead a session, and with that a process group, of its own: what it sends to its group (`kill 0` in a script)
/// shall not come to the agent. The C library's POSIX_SPAWN_SETSID.
const OWN_SESSION: PosixSpawnFlags = PosixSpawnFlags::from_bits_retain(0x80);

/// Descriptors that are left to the agent, counted down from its limit: a program whose pipes would take one of them is not
/// started. It bounds what running programs, which hold up to three each, can take from the agent's channel, its log, and the
/// helper programs it runs; and, in the table of what may hang, what open files can take from programs and paths. Of the
/// usual 1024 it leaves three hundred programs with captured output.
const SPARED: RawFd = 32;

/// How long a program may take to become one, once its process is made. The file and what interprets it are read for that, and
/// may be on a server that is gone; an honest one takes milliseconds. One that begins later is killed.
const PATIENCE: Duration = Duration::from_secs(10);

/// The process is made by a thread that may wait, for the kernel lets go of who starts a program
/// only when the program's file and its interpreters were read. That thread has none of the agent's files, so there is nothing
/// that a program could inherit.
pub(super) fn spawn(program: &Spawn) -> Result<Spawned, Errno> {
    let order = Order::of(program)?;
    let stdin = if program.input { Some(Pipe::new(End::Writer)?) } else { None };
    let stdout = output(program.stdout)?;
    let stderr = output(program.stderr)?;
    let pipes = [&stdin, &stdout, &stderr].map(|pipe| pipe.as_ref().map(|pipe| pipe.theirs.as_fd()));
    let file = match &program.manner.file {
        Some(Held::Ours(file)) => Some(file.as_fd()),
        _ => None,
    };
    let given: Vec<BorrowedFd<'_>> = pipes.iter().copied().flatten().chain(file).collect();
    let mut given = patience::give(&given)?.into_iter();
    let streams = pipes.map(|pipe| pipe.and_then(|_| given.next()));
    let file = match &program.manner.file {
        Some(Held::Theirs(file)) => Some(Arc::clone(file)),
        _ => given.next().map(Arc::new),
    };
    let started = patience::ask(("start", program.path.clone()), PATIENCE, move || {
        let started = order.start(streams.each_ref().map(|it| it.as_ref().map(Kept::here)), file.as_deref());
        streams.into_iter().flatten().for_each(Kept::close);
        started.map(Started)
    });
    let ours = |pipe: Option<Pipe>| pipe.map(|pipe| pipe.ours);
    Ok(Spawned { pid: started?.known(), stdin: ours(stdin), stdout: ours(stdout), stderr: ours(stderr) })
}

/// Makes a process of what is at the path, with the agent's own environment. To be called by a thread that may wait.
pub(in crate::linux) fn start<'a>(
    path: &[u8],
    words: impl Iterator<Item = &'a [u8]>,
    streams: [Option<BorrowedFd<'_>>; 3],
) -> Result<Pid, Errno> {
    let words: Vec<Vec<u8>> = words.map(<[u8]>::to_vec).collect();
    let order = Order {
        path: CString::new(path).map_err(|_| Errno::EINVAL)?,
        arguments: strings(&words)?,
        environment: strings(&own_environment())?,
        merges: false,
        user: None,
        is_usual: true,
    };
    order.as_usual(streams)
}

/// A program that nobody knows yet. If nobody will, for it came too late, it is killed.
struct Started(Pid);

impl Started {
    fn known(self) -> i32 {
        let Started(pid) = self;
        std::mem::forget(self);
        pid.as_raw()
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        let pid = self.0;
        let _ = kill(pid, Signal::SIGKILL);
        let wait = move || waitpid(pid, None).map(drop);
        let _ = patience::ask(("killed", pid.to_string().into_bytes()), Duration::ZERO, wait);
    }
}

/// What there is to start, in the words of the system.
struct Order {
    path: CString,
    arguments: Vec<CString>,
    environment: Vec<CString>,
    merges: bool,
    user: Option<User>,
    is_usual: bool,
}

impl Order {
    fn of(program: &Spawn) -> Result<Self, Errno> {
        let user = program.manner.user.as_deref().map(User::find).transpose()?;
        let environment = match (&program.environment, &user) {
            (Some(given), Some(user)) => user.complete(given.clone()),
            (Some(given), None) => given.clone(),
            (None, Some(user)) => user.environment(own_environment()),
            (None, None) => own_environment(),
        };
        Ok(Order {
            path: CString::new(program.path.as_slice()).map_err(|_| Errno::EINVAL)?,
            arguments: strings(&program.arguments)?,
            environment: strings(&environment)?,
            merges: program.stderr == Output::Merge,
            user,
            is_usual: program.manner == Manner::default(),
        })
    }

    /// Makes the process. To be called by a thread that may wait.
    fn start(&self, streams: [Option<BorrowedFd<'_>>; 3], file: Option<&Kept>) -> Result<Pid, Errno> {
        if self.is_usual {
            return self.as_usual(streams);
        }
        let nothing = open("/dev/null", OFlag::O_RDWR | OFlag::O_CLOEXEC, Mode::empty())?;
        let [stdin, stdout, stderr] = streams;
        let third = if self.merges { stdout } else { stderr };
        let program = Program {
            path: &self.path,
            file: file.map(Kept::here),
            arguments: &self.arguments,
            environment: &self.environment,
            streams: [stdin, stdout, third].map(|pipe| pipe.unwrap_or(nothing.as_fd())),
        };
        exactly::execute(&program, self.user.as_ref())
    }

    /// What is at the path in a process of its own; how it could not be executed is known when this returns.
    fn as_usual(&self, streams: [Option<BorrowedFd<'_>>; 3]) -> Result<Pid, Errno> {
        let mut actions = PosixSpawnFileActions::init()?;
        for (number, pipe) in (0..).zip(streams) {
            let access = if number == 0 { OFlag::O_RDONLY } else { OFlag::O_WRONLY };
            match pipe {
                Some(pipe) => actions.add_dup2(pipe.as_raw_fd(), number)?,
                None if number == 2 && self.merges => actions.add_dup2(1, number)?,
                None => actions.add_open(number, "/dev/null", access, Mode::empty())?,
            }
        }
        let mut attributes = PosixSpawnAttr::init()?;
        let signals = PosixSpawnFlags::POSIX_SPAWN_SETSIGDEF | PosixSpawnFlags::POSIX_SPAWN_SETSIGMASK;
        attributes.set_flags(signals | OWN_SESSION)?;
        attributes.set_sigdefault(&every_signal())?;
        attributes.set_sigmask(&SigSet::empty())?;
        let run = |path: &CStr, words: &[CString]| posix_spawn(path, &actions, &attributes, words, &self.environment);
        match run(&self.path, &self.arguments) {
            Err(Errno::ENOEXEC) => {
                let words = [SHELL.to_owned(), self.path.clone()].into_iter();
                let words: Vec<_> = words.chain(self.arguments.iter().skip(1).cloned()).collect();
                run(SHELL, &words)
            }
            started => started,
        }
    }
}

/// Every signal, with the two that the C library keeps for itself: sigfillset(3) leaves them out, and glibc 2.36 has children
/// ignore them unless it is told to reset them.
fn every_signal() -> SigSet {
    let mut set = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: a `sigset_t` is an array of integers, a bit for each signal: it has no invalid value, and all of it is written.
    #[expect(unsafe_code, reason = "sigaddset(3) refuses these two")]
    unsafe {
        set.as_mut_ptr().write_bytes(0xFF, 1);
        SigSet::from_sigset_t_unchecked(set.assume_init())
    }
}

/// Words for the system, which ends them with a NUL.
fn strings(words: &[Vec<u8>]) -> Result<Vec<CString>, Errno> {
    words.iter().map(|word| CString::new(word.as_slice()).map_err(|_| Errno::EINVAL)).collect()
}

fn own_environment() -> Vec<Vec<u8>> {
    std::env::vars_os().map(|(name, value)| [name.into_vec(), b"=".to_vec(), value.into_vec()].concat()).collect()
}

/// Which end of a pipe is ours.
enum End {
    Reader,
    Writer,
}

/// A pipe to or from a program.
struct Pipe {
    ours: OwnedFd,
    theirs: OwnedFd,
}

impl Pipe {
    /// Our end does not block; theirs does, as programs expect.
    fn new(end: End) -> Result<Self, Errno> {
        let (reader, writer) = pipe2(OFlag::O_CLOEXEC)?;
        let (ours, theirs) = match end {
            End::Reader => (reader, writer),
            End::Writer => (writer, reader),
        };
        if !leaves_room(ours.as_raw_fd().max(theirs.as_raw_fd()))? {
            return Err(Errno::EMFILE);
        }
        fcntl(&ours, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        Ok(Pipe { ours, theirs })
    }
}

/// Whether a descriptor of this number, the lowest that was free, leaves the spared ones of its table.
pub(in crate::linux) fn leaves_room(number: RawFd) -> Result<bool, Errno> {
    let limit = sysconf(SysconfVar::OPEN_MAX)?.and_then(|limit| RawFd::try_from(limit).ok()).unwrap_or(RawFd::MAX);
    Ok(number < limit.saturating_sub(SPARED))
}

fn output(output: Output) -> Result<Option<Pipe>, Errno> {
    match output {
        Output::Capture => Pipe::new(End::Reader).map(Some),
        Output::Discard | Output::Merge => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{ending, run, shell, text};
    use super::*;
    use crate::{Ending, Linux, Processes};
    use nix::fcntl::FdFlag;
    use std::fs::File;
    use std::io::Write;

    #[test]
    fn endings_are_told_once() {
        assert_eq!(run(&shell("exit 3")).0, Ending::Exited(3));
        assert_eq!(run(&shell("kill -9 $$")).0, Ending::Killed(9));
        assert_eq!(run(&shell("kill -40 $$")).0, Ending::Killed(40), "a signal without a name");
        let pid = Linux.spawn(&shell("exit 0")).unwrap().pid;
        ending(pid);
        assert_eq!(Linux.reap(pid), Err(Errno::ECHILD));
        assert_eq!(Linux.reap(-1), Err(Errno::ECHILD), "never children in general");
    }

    #[test]
    fn what_could_not_be_executed_is_known_at_once() {
        let absent = Spawn { path: b"/no/such/program".to_vec(), ..shell("") };
        assert_eq!(Linux.spawn(&absent).err(), Some(Errno::ENOENT));
        assert_eq!(Linux.spawn(&Spawn { path: b"/etc".to_vec(), ..shell("") }).err(), Some(Errno::EACCES));
        assert_eq!(Linux.spawn(&Spawn { arguments: vec![vec![b'x'; 200_000]], ..shell("") }).err(), Some(Errno::E2BIG));
        assert_eq!(Linux.spawn(&Spawn { arguments: vec![b"a\0b".to_vec()], ..shell("") }).err(), Some(Errno::EINVAL));
    }

    #[test]
    fn streams_go_where_they_were_told_to() {
        let program = Spawn { stderr: Output::Merge, ..shell("echo out; echo err >&2") };
        assert_eq!(run(&program).1, "out\nerr\n");
        assert_eq!(run(&shell("echo out; echo err >&2")).1, "out\n");
        let spawned = Linux.spawn(&Spawn { input: true, ..shell("read line; echo got $line") }).unwrap();
        File::from(spawned.stdin.unwrap()).write_all(b"this\n").unwrap();
        assert_eq!(text(spawned.stdout.unwrap()), "got this\n");
        assert_eq!(ending(spawned.pid), Ending::Exited(0));
        assert_eq!(run(&shell("cat")).1, "", "without input there is nothing to read");
    }

    #[test]
    fn a_script_that_kills_its_group_kills_no_other() {
        let group = nix::unistd::getpgrp().as_raw();
        assert_eq!(run(&shell("kill -s KILL 0")).0, Ending::Killed(9));
        let exact = Spawn { manner: Manner { exact: true, ..Manner::default() }, ..shell("kill -s KILL 0") };
        assert_eq!(run(&exact).0, Ending::Killed(9));
        for manner in [Manner::default(), Manner { exact: true, ..Manner::default() }] {
            // The fifth and sixth field: group and session.
            let told = run(&Spawn {
                manner,
                ..shell("read _ _ _ _ group session _ < /proc/$$/stat; echo $$ $group $session")
            })
            .1;
            let numbers: Vec<i32> = told.split_whitespace().map(|word| word.parse().unwrap()).collect();
            assert_eq!(numbers[1..], [numbers[0]; 2]);
            assert_ne!(numbers[1], group);
        }
    }

    #[test]
    fn the_environment_is_replaced_or_inherited() {
        let only = Spawn {
            path: b"/usr/bin/env".to_vec(),
            arguments: vec![b"env".to_vec()],
            environment: Some(vec![b"ONLY=this".to_vec()]),
            ..shell("")
        };
        assert_eq!(run(&only).1, "ONLY=this\n");
        assert!(run(&Spawn { environment: None, ..only }).1.contains("PATH="));
    }

    #[test]
    fn nothing_of_the_agents_is_inherited() {
        // Open, and not close-on-exec: as if the agent had been started with it.
        let file = File::open("/dev/null").unwrap();
        fcntl(&file, FcntlArg::F_SETFD(FdFlag::empty())).unwrap();
        // The fourth is ls(1)'s own, to look at the folder with.
        assert_eq!(run(&shell("ls /proc/self/fd")).1, "0\n1\n2\n3\n");
        assert_eq!(run(&shell("grep -E '^Sig(Blk|Ign)' /proc/self/status | grep -c '0000000000000000$'")).1, "2\n");
    }
}
