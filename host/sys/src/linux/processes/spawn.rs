//! Starting a program.

use super::exactly::{self, Program};
use super::user::User;
use crate::{Manner, Output, Spawn, Spawned};
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, FdFlag, OFlag, fcntl, open};
use nix::libc;
use nix::spawn::{PosixSpawnAttr, PosixSpawnFileActions, PosixSpawnFlags, posix_spawn};
use nix::sys::signal::SigSet;
use nix::sys::stat::Mode;
use nix::unistd::{Pid, SysconfVar, pipe2, sysconf};
use std::ffi::CString;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStringExt;
use std::sync::Once;

/// What runs a file that the kernel does not know how to run, as execvp(3) has it: a script without `#!`.
const SHELL: &[u8] = b"/bin/sh";

/// Descriptors that are left to the agent, counted down from its limit: a program whose pipes would take one of them is not
/// started. It bounds what running programs, which hold up to three each, can take from the agent's channel, its log, and the
/// helper programs it runs. Of the usual 1024 it leaves three hundred programs with captured output.
const SPARED: RawFd = 32;

/// See [`crate::System::spawn`].
pub(in crate::linux) fn spawn(program: &Spawn) -> Result<Spawned, Errno> {
    static SEALED: Once = Once::new();
    SEALED.call_once(seal_inherited);
    let stdin = if program.input { Some(Pipe::new(End::Writer)?) } else { None };
    let stdout = output(program.stdout)?;
    let stderr = output(program.stderr)?;
    let pipes = [&stdin, &stdout, &stderr];
    let pid = if program.manner == Manner::default() { as_usual(program, pipes) } else { in_a_manner(program, pipes) }?;
    let ours = |pipe: Option<Pipe>| pipe.map(|pipe| pipe.ours);
    Ok(Spawned { pid: pid.as_raw(), stdin: ours(stdin), stdout: ours(stdout), stderr: ours(stderr) })
}

/// What is at the path in a process of its own; how it could not be executed is known when this returns.
fn as_usual(program: &Spawn, pipes: [&Option<Pipe>; 3]) -> Result<Pid, Errno> {
    let mut actions = PosixSpawnFileActions::init()?;
    for (number, pipe) in (0..).zip(pipes) {
        let access = if number == 0 { OFlag::O_RDONLY } else { OFlag::O_WRONLY };
        match pipe {
            Some(pipe) => actions.add_dup2(pipe.theirs.as_raw_fd(), number)?,
            None if number == 2 && program.stderr == Output::Merge => actions.add_dup2(1, number)?,
            None => actions.add_open(number, "/dev/null", access, Mode::empty())?,
        }
    }
    let mut attributes = PosixSpawnAttr::init()?;
    attributes.set_flags(PosixSpawnFlags::POSIX_SPAWN_SETSIGDEF | PosixSpawnFlags::POSIX_SPAWN_SETSIGMASK)?;
    attributes.set_sigdefault(&every_signal())?;
    attributes.set_sigmask(&SigSet::empty())?;
    let arguments = strings(&program.arguments)?;
    let environment = match &program.environment {
        Some(given) => strings(given)?,
        None => strings(&own_environment())?,
    };
    match posix_spawn(program.path.as_slice(), &actions, &attributes, &arguments, &environment) {
        Err(Errno::ENOEXEC) => {
            let mut words = strings(&[SHELL.to_vec(), program.path.clone()])?;
            words.extend(arguments.into_iter().skip(1));
            posix_spawn(SHELL, &actions, &attributes, &words, &environment)
        }
        started => started,
    }
}

/// The same for what an owner's rule says something of.
fn in_a_manner(program: &Spawn, [stdin, stdout, stderr]: [&Option<Pipe>; 3]) -> Result<Pid, Errno> {
    let user = program.manner.user.as_deref().map(User::find).transpose()?;
    let mut environment = program.environment.clone().unwrap_or_else(own_environment);
    if let Some(user) = &user {
        user.complete(&mut environment, program.environment.is_none());
    }
    let nothing = open("/dev/null", OFlag::O_RDWR | OFlag::O_CLOEXEC, Mode::empty())?;
    let third = if program.stderr == Output::Merge { stdout } else { stderr };
    let theirs = [stdin, stdout, third].map(|pipe| pipe.as_ref().map_or(nothing.as_fd(), |pipe| pipe.theirs.as_fd()));
    let prepared = Program {
        path: CString::new(program.path.as_slice()).map_err(|_| Errno::EINVAL)?,
        arguments: strings(&program.arguments)?,
        environment: strings(&environment)?,
        streams: theirs,
    };
    exactly::execute(&prepared, &program.manner, user.as_ref())
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
        let limit = sysconf(SysconfVar::OPEN_MAX)?.and_then(|limit| RawFd::try_from(limit).ok()).unwrap_or(RawFd::MAX);
        if ours.as_raw_fd().max(theirs.as_raw_fd()) >= limit.saturating_sub(SPARED) {
            return Err(Errno::EMFILE);
        }
        fcntl(&ours, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        Ok(Pipe { ours, theirs })
    }
}

fn output(output: Output) -> Result<Option<Pipe>, Errno> {
    match output {
        Output::Capture => Pipe::new(End::Reader).map(Some),
        Output::Discard | Output::Merge => Ok(None),
    }
}

/// Keeps descriptors that the agent was started with from its children. What it opens itself is close-on-exec anyway.
fn seal_inherited() {
    let Ok(entries) = std::fs::read_dir("/proc/self/fd") else { return };
    let numbers: Vec<RawFd> = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    for number in numbers.into_iter().filter(|number| *number > 2) {
        // SAFETY: the descriptor is borrowed for one call that does not close it. If it was closed meanwhile, as the
        // folder's own was, the call fails and does nothing.
        #[expect(unsafe_code, reason = "these descriptors have no owner that could be named")]
        let fd = unsafe { BorrowedFd::borrow_raw(number) };
        let _ = fcntl(fd, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC));
    }
}

#[cfg(test)]
mod tests {
    use super::super::reap;
    use super::super::tests::{ending, run, shell, text};
    use super::*;
    use crate::Ending;
    use std::fs::File;
    use std::io::Write;

    #[test]
    fn endings_are_told_once() {
        assert_eq!(run(&shell("exit 3")).0, Ending::Exited(3));
        assert_eq!(run(&shell("kill -9 $$")).0, Ending::Killed(9));
        assert_eq!(run(&shell("kill -40 $$")).0, Ending::Killed(40), "a signal without a name");
        let pid = spawn(&shell("exit 0")).unwrap().pid;
        ending(pid);
        assert_eq!(reap(pid), Err(Errno::ECHILD));
        assert_eq!(reap(-1), Err(Errno::ECHILD), "never children in general");
    }

    #[test]
    fn what_could_not_be_executed_is_known_at_once() {
        let absent = Spawn { path: b"/no/such/program".to_vec(), ..shell("") };
        assert_eq!(spawn(&absent).err(), Some(Errno::ENOENT));
        assert_eq!(spawn(&Spawn { path: b"/etc".to_vec(), ..shell("") }).err(), Some(Errno::EACCES));
        assert_eq!(spawn(&Spawn { arguments: vec![vec![b'x'; 200_000]], ..shell("") }).err(), Some(Errno::E2BIG));
        assert_eq!(spawn(&Spawn { arguments: vec![b"a\0b".to_vec()], ..shell("") }).err(), Some(Errno::EINVAL));
    }

    #[test]
    fn streams_go_where_they_were_told_to() {
        let program = Spawn { stderr: Output::Merge, ..shell("echo out; echo err >&2") };
        assert_eq!(run(&program).1, "out\nerr\n");
        assert_eq!(run(&shell("echo out; echo err >&2")).1, "out\n");
        let spawned = spawn(&Spawn { input: true, ..shell("read line; echo got $line") }).unwrap();
        File::from(spawned.stdin.unwrap()).write_all(b"this\n").unwrap();
        assert_eq!(text(spawned.stdout.unwrap()), "got this\n");
        assert_eq!(ending(spawned.pid), Ending::Exited(0));
        assert_eq!(run(&shell("cat")).1, "", "without input there is nothing to read");
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
        seal_inherited();
        // The fourth is ls(1)'s own, to look at the folder with.
        assert_eq!(run(&shell("ls /proc/self/fd")).1, "0\n1\n2\n3\n");
        assert_eq!(run(&shell("grep -E '^Sig(Blk|Ign)' /proc/self/status | grep -c '0000000000000000$'")).1, "2\n");
    }
}
