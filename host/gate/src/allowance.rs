//! What one request may have done that takes its time. Each deed has a limit of its own; here it is how often, and how long all of
//! one kind together.

use crate::{Errno, Gate, ProgramError};
use std::cell::Cell;
use std::time::{Duration, Instant};

/// How many of the programs that the gate knows one request may have run. It bounds a module that sets passwords or asks for
/// sleep again and again; an honest request has two tools asked and run in turn, which makes four.
const PROGRAMS: u32 = 8;

/// How long these programs may take together. A hook script has ten minutes, and whatever else an honest request runs is done
/// in a few more; the next client waits for so long.
const PROGRAM_TIME: Duration = Duration::from_secs(15 * 60);

/// How long all file systems of one request may take to be trimmed. Disks of terabytes take minutes, thin ones on a slow store
/// longer; what is left when the time is over is told as not trimmed, and the next client has its turn.
const TRIM_TIME: Duration = Duration::from_secs(30 * 60);

/// How long processors and memory may take to be switched, of all that one request names. A block of memory that cannot be
/// moved has half a minute; those that come after the time is over are told as not switched.
const SWITCH_TIME: Duration = Duration::from_secs(5 * 60);

/// What is left of it.
#[derive(Debug, Default)]
pub(crate) struct Allowance {
    programs: Cell<u32>,
    program_time: Cell<Duration>,
    trim_time: Cell<Duration>,
    switch_time: Cell<Duration>,
}

impl Allowance {
    /// A request begins, or is over.
    pub(crate) fn renew(&self) {
        self.programs.take();
        self.program_time.take();
        self.trim_time.take();
        self.switch_time.take();
    }
}

impl Gate {
    /// Runs one more program, which has `limit` if so much is left.
    pub(crate) fn allow_program(
        &self,
        limit: Duration,
        run: impl FnOnce(Duration) -> Result<(), ProgramError>,
    ) -> Result<(), ProgramError> {
        let allowance = &self.allowance;
        allowance.programs.set(allowance.programs.get().saturating_add(1));
        if allowance.programs.get() > PROGRAMS {
            return Err(ProgramError::NotStarted(Errno::EAGAIN));
        }
        within(&allowance.program_time, PROGRAM_TIME, |left| run(limit.min(left)))
            .unwrap_or(Err(ProgramError::TimedOut))
    }

    /// Trims, if there is time left, and tells how much.
    pub(crate) fn allow_trim<T>(&self, trim: impl FnOnce(Duration) -> T) -> Result<T, Errno> {
        within(&self.allowance.trim_time, TRIM_TIME, trim)
    }

    /// Switches something, if there is time left.
    pub(crate) fn allow_switch<T>(&self, switch: impl FnOnce() -> T) -> Result<T, Errno> {
        within(&self.allowance.switch_time, SWITCH_TIME, |_| switch())
    }
}

/// Does something, with the time that is left, if there is some.
fn within<T>(used: &Cell<Duration>, most: Duration, act: impl FnOnce(Duration) -> T) -> Result<T, Errno> {
    let left = most.saturating_sub(used.get());
    if left.is_zero() {
        return Err(Errno::ETIMEDOUT);
    }
    let begin = Instant::now();
    let outcome = act(left);
    used.set(used.get() + begin.elapsed());
    Ok(outcome)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::programs::called;
    use crate::{MountError, PasswordError, Refusal, Standing, testing};
    use bulkhead_border::{Accounts, Hotplug, Trimmer};
    use bulkhead_sys::Fake;

    fn gate() -> (Fake, Gate) {
        let system = Fake::default();
        system.install("/usr/sbin/chpasswd", Ok(()));
        system.mount("/data", None);
        (system.clone(), testing::full(&system))
    }

    #[test]
    fn one_request_runs_few_programs_and_the_next_as_many() {
        let (system, gate) = gate();
        let set = || gate.asked_by("account").set_password("alice".into(), b"x".into(), false);
        for _ in 0..2 {
            gate.begin(Standing::default());
            assert!((0..PROGRAMS).all(|_| set() == Ok(())));
            let refused = PasswordError::Program(called("chpasswd")(ProgramError::NotStarted(Errno::EAGAIN)));
            assert!((0..1700).all(|_| set() == Err(Refusal::Failed(refused.clone()))));
            gate.end();
        }
        assert_eq!(system.events().iter().filter(|event| event.starts_with("run ")).count(), 2 * PROGRAMS as usize);
    }

    #[test]
    fn what_takes_too_long_together_is_told_as_not_done() {
        let (system, gate) = gate();
        gate.begin(Standing::default());
        gate.allowance.trim_time.set(TRIM_TIME - Duration::from_secs(1));
        assert!(gate.asked_by("filesystem").trim(b"/data".into(), None, 0).is_ok());
        gate.allowance.trim_time.set(TRIM_TIME);
        let late = MountError::Failed(Errno::ETIMEDOUT);
        assert_eq!(gate.asked_by("filesystem").trim(b"/data".into(), None, 0), Err(Refusal::Failed(late)));
        gate.allowance.switch_time.set(SWITCH_TIME);
        assert_eq!(gate.asked_by("hotplug").set_memory_block(7, true), Err(Refusal::Failed(Errno::ETIMEDOUT)));
        assert_eq!(gate.asked_by("hotplug").set_processor(1, true), Err(Refusal::Failed(Errno::ETIMEDOUT)));
        gate.allowance.program_time.set(PROGRAM_TIME);
        let late = PasswordError::Program(called("chpasswd")(ProgramError::TimedOut));
        assert_eq!(
            gate.asked_by("account").set_password("alice".into(), b"x".into(), false),
            Err(Refusal::Failed(late))
        );
        let before = system.events();
        gate.end();
        assert_eq!(gate.asked_by("hotplug").set_memory_block(7, true), Ok(()));
        assert_eq!(system.events().len(), before.len() + 1);
    }

    #[test]
    fn a_program_has_no_more_time_than_is_left() {
        let (_, gate) = gate();
        let given = |used| {
            gate.allowance.program_time.set(used);
            let mut given = Duration::ZERO;
            let ran = gate.allow_program(Duration::from_secs(60), |limit| {
                given = limit;
                Ok(())
            });
            assert_eq!(ran, Ok(()));
            given
        };
        assert_eq!(given(Duration::ZERO), Duration::from_secs(60));
        assert_eq!(given(PROGRAM_TIME - Duration::from_secs(7)), Duration::from_secs(7));
    }
}
