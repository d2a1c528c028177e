//! The agent's own process: waiting before it serves, and becoming a daemon.

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, SigmaskHow, Signal, kill};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::stat::{Mode, umask};
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, Pid, chdir, dup2_stderr, dup2_stdin, dup2_stdout, fork, setsid};
use std::fs::{File, OpenOptions};
use std::io::{PipeReader, PipeWriter, Read, Write};
use std::os::fd::AsFd;
use std::time::Duration;

/// Tells another process to read its policy again (kill(2), SIGHUP). The caller knows that the number is an agent's.
pub fn hang_up(pid: i32) -> Result<(), Errno> {
    // Zero and below would mean groups.
    if pid <= 0 {
        return Err(Errno::ESRCH);
    }
    kill(Pid::from_raw(pid), Signal::SIGHUP)
}

/// Asks another process for its figures (kill(2), SIGUSR1). The caller knows that the number is that of an agent which hears it:
/// one that does not would be ended by it.
pub fn ask(pid: i32) -> Result<(), Errno> {
    // Zero and below would mean groups.
    if pid <= 0 {
        return Err(Errno::ESRCH);
    }
    kill(Pid::from_raw(pid), Signal::SIGUSR1)
}

/// Waits for `time`, or for SIGTERM or SIGINT: true if one of these came. For the time before the agent serves, when
/// there is no tokio to hear signals with.
pub fn pause(time: Duration) -> Result<bool, Errno> {
    let ends: SigSet = [Signal::SIGTERM, Signal::SIGINT].into_iter().collect();
    let signals = SignalFd::with_flags(&ends, SfdFlags::SFD_CLOEXEC)?;
    let before = ends.thread_swap_mask(SigmaskHow::SIG_BLOCK)?;
    let timeout = PollTimeout::try_from(time).unwrap_or(PollTimeout::MAX);
    let came = poll(&mut [PollFd::new(signals.as_fd(), PollFlags::POLLIN)], timeout);
    // Taken, so that it does not end the process when it is let through again.
    let told = came.and_then(|came| if came > 0 { signals.read_signal() } else { Ok(None) });
    before.thread_set_mask()?;
    Ok(told?.is_some())
}

/// Keeps SIGHUP waiting, in this thread and those it starts, until [`hear_signals`]: it shall have the policy read
/// again, and an agent that is not ready for that would be ended by it.
pub fn hold_hang_ups() -> Result<(), Errno> {
    SigSet::from(Signal::SIGHUP).thread_block()
}

/// Keeps SIGTERM and SIGINT waiting too: an agent whose channel is open counts as running, and ends cleanly when told.
pub fn hold_ends() -> Result<(), Errno> {
    [Signal::SIGTERM, Signal::SIGINT].into_iter().collect::<SigSet>().thread_block()
}

/// Lets through what was held, signals that came meanwhile too. Call it before programs are started, which would inherit
/// the mask.
pub fn hear_signals() -> Result<(), Errno> {
    [Signal::SIGHUP, Signal::SIGTERM, Signal::SIGINT].into_iter().collect::<SigSet>().thread_unblock()
}

/// The daemon's side of the fork.
#[derive(Debug)]
pub struct Daemon(PipeWriter);

/// What became of a call of [`daemonize`]. It returns in both processes.
#[derive(Debug)]
pub enum Daemonized {
    /// This is the daemon.
    Daemon(Daemon),
    /// This is the process that was started; it waits for the daemon's word.
    Parent(Waiting),
}

/// The parent's side of the fork.
#[derive(Debug)]
pub struct Waiting {
    pipe: PipeReader,
    daemon: Pid,
}

impl Daemon {
    /// Tells the parent that all is well, so that it exits with status 0. Without this word it exits with 1.
    pub fn ready(mut self) {
        // A parent that was killed meanwhile needs no answer.
        let _ = self.0.write_all(b"1");
    }
}

impl Waiting {
    /// Waits for the daemon's word: true if it is ready, false if it ended before; then it has also said why.
    pub fn is_ready(mut self) -> bool {
        let ready = matches!(self.pipe.read(&mut [0]), Ok(1));
        if !ready {
            // Somebody who sees this process end must find the daemon's last words already written.
            let _ = waitpid(self.daemon, None);
        }
        ready
    }
}

/// Forks; the child leaves the session, the working directory and the three standard descriptors behind, and makes
/// files private by default (umask 077), as qemu-ga does. Call it before any thread is started: only the calling
/// thread lives on in the child.
pub fn daemonize() -> Result<Daemonized, Errno> {
    let io = |error: std::io::Error| Errno::from_raw(error.raw_os_error().unwrap_or(Errno::EIO as i32));
    let (reader, writer) = std::io::pipe().map_err(io)?;
    // SAFETY: the caller promises that there is only one thread, so the child may do anything.
    #[expect(unsafe_code, reason = "fork(2) is unsafe where there are threads")]
    match unsafe { fork() }? {
        ForkResult::Parent { child } => Ok(Daemonized::Parent(Waiting { pipe: reader, daemon: child })),
        ForkResult::Child => {
            umask(Mode::from_bits_truncate(0o077));
            setsid()?;
            chdir("/")?;
            Ok(Daemonized::Daemon(Daemon(writer)))
        }
    }
}

/// Points standard input, output and error to /dev/null: nobody is there to read or to type. Apart from
/// [`daemonize`], so that what goes wrong in between can still be told.
pub fn close_standard_streams() -> Result<(), Errno> {
    let null: File = OpenOptions::new()
        .read(true)
        .write(true)
        .open("/dev/null")
        .map_err(|error| Errno::from_raw(error.raw_os_error().unwrap_or(Errno::EIO as i32)))?;
    dup2_stdin(&null)?;
    dup2_stdout(&null)?;
    dup2_stderr(&null)
}
