//! Processors and memory, in and out of use.

use super::{Linux, errno};
use crate::Hotplug;
use nix::errno::Errno;
use nix::sys::signal::{SaFlags, SigAction, SigEvent, SigHandler, SigSet, SigevNotify, Signal, sigaction};
use nix::sys::timer::{Expiration, Timer, TimerSetTimeFlags};
use nix::time::ClockId;
use nix::unistd::gettid;
use std::fs::OpenOptions;
use std::io::Write;
use std::time::{Duration, Instant};

/// How long the kernel may take for one processor or one block of memory. A block is taken out of use by moving what it
/// holds: some seconds for a full one. A page that somebody holds on to cannot move, and the kernel tries again for ever,
/// unless a signal interrupts it.
const PATIENCE: Duration = Duration::from_secs(30);

impl Hotplug for Linux {
    fn set_processor(&self, id: i64, online: bool) -> Result<(), Errno> {
        let word = if online { "1" } else { "0" };
        patiently(PATIENCE, || write_word(&format!("/sys/devices/system/cpu/cpu{id}/online"), word))
    }

    fn set_memory_block(&self, index: u64, online: bool) -> Result<(), Errno> {
        let word = if online { "online" } else { "offline" };
        patiently(PATIENCE, || write_word(&format!("/sys/devices/system/memory/memory{index}/state"), word))
    }
}

/// Writes a word into a file of the kernel: in one piece, since each write(2) is an order.
pub(super) fn write_word(path: &str, word: &str) -> Result<(), Errno> {
    let write = || OpenOptions::new().write(true).open(path)?.write(word.as_bytes());
    match write() {
        Ok(count) if count == word.len() => Ok(()),
        Ok(_) => Err(Errno::EIO),
        Err(error) => Err(errno(error)),
    }
}

/// Does something that ends early, with `EINTR`, if a signal comes; one comes when the time is over. Another signal may
/// come before, such as SIGTERM: that does not mean that the time is over.
fn patiently(patience: Duration, act: impl FnOnce() -> Result<(), Errno>) -> Result<(), Errno> {
    let started = Instant::now();
    let alarm = alarm(patience)?;
    let outcome = act();
    drop(alarm);
    if outcome == Err(Errno::EINTR) && started.elapsed() >= patience { Err(Errno::ETIMEDOUT) } else { outcome }
}

/// Sends a signal to this thread when the time is over, and then again and again until it is dropped, for the first may
/// come a moment before the system call that it is to interrupt.
fn alarm(patience: Duration) -> Result<Timer, Errno> {
    extern "C" fn nothing(_: i32) {}
    let action = SigAction::new(SigHandler::Handler(nothing), SaFlags::empty(), SigSet::empty());
    // SAFETY: the handler does nothing, so it may run at any moment; nothing else in the agent uses this signal.
    #[expect(unsafe_code, reason = "a signal handler can do what it must not")]
    unsafe { sigaction(Signal::SIGALRM, &action) }?;
    let thread = SigevNotify::SigevThreadId { signal: Signal::SIGALRM, thread_id: gettid().as_raw(), si_value: 0 };
    let mut timer = Timer::new(ClockId::CLOCK_MONOTONIC, SigEvent::new(thread))?;
    let again = Duration::from_millis(100);
    timer.set(Expiration::IntervalDelayed(patience.into(), again.into()), TimerSetTimeFlags::empty())?;
    Ok(timer)
}

// The machine that runs this test keeps its processors and its memory: what is written where is shown in a sandbox.
#[cfg(test)]
mod tests {
    use super::*;
    use nix::unistd::read;

    #[test]
    fn a_word_is_written_over_what_is_there() {
        let path = std::env::temp_dir().join(format!("bulkhead-sys-hotplug-{}", std::process::id()));
        std::fs::write(&path, "freeze mem disk\n").unwrap();
        assert_eq!(write_word(path.to_str().unwrap(), "mem"), Ok(()));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "memeze mem disk\n");
        std::fs::remove_file(&path).unwrap();
        assert_eq!(write_word(path.to_str().unwrap(), "mem"), Err(Errno::ENOENT));
        assert!(!path.exists(), "it is not made");
        assert_eq!(write_word("/dev/full", "mem"), Err(Errno::ENOSPC));
    }

    #[test]
    fn what_takes_too_long_is_interrupted() {
        let (reader, writer) = std::io::pipe().unwrap();
        let patience = Duration::from_millis(50);
        let started = Instant::now();
        assert_eq!(patiently(patience, || read(&reader, &mut [0]).map(|_| ())), Err(Errno::ETIMEDOUT));
        assert!(started.elapsed() >= patience);
        drop(writer);
    }

    #[test]
    fn what_ends_in_time_is_left_alone() {
        assert_eq!(patiently(Duration::from_secs(60), || Ok(())), Ok(()));
        for refusal in [Errno::EBUSY, Errno::EINTR] {
            assert_eq!(patiently(Duration::from_secs(60), || Err(refusal)), Err(refusal));
        }
    }
}
