//! The owner's freeze hook script. Its path comes from the command line, so a module can only say when it runs.

use crate::programs::called;
use crate::{Gate, HookPhase, ProgramFailure, Refusal};
use bulkhead_catalog::Capability;
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

/// How long a hook script may take. A database may need minutes to come to rest, and backup tools wait ten minutes
/// and more for a freeze; a script that hangs would otherwise hold the agent for ever.
const TIME_LIMIT: Duration = Duration::from_secs(600);

impl Gate {
    /// Runs the hook script for `phase`; without one does nothing.
    pub fn run_hook(&self, module: &str, phase: HookPhase) -> Result<(), Refusal<ProgramFailure>> {
        // What was frozen must thaw, and what the script has halted must go on: that is never refused.
        if phase == HookPhase::Freeze {
            self.require(module, Capability::Freezer, &[])?;
        }
        let Some(hook) = &self.hook else { return Ok(()) };
        let word = match phase {
            HookPhase::Freeze => "freeze",
            HookPhase::Thaw => "thaw",
        };
        let ran = self.run_program(hook.as_os_str().as_bytes(), &[word], Vec::new(), TIME_LIMIT);
        Ok(ran.map_err(called(&hook.to_string_lossy()))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ProgramError, testing};
    use bulkhead_sys::Fake;

    #[test]
    fn the_phase_is_the_scripts_argument() {
        let system = Fake::default();
        system.install("/etc/hook", Ok(()));
        let policy = testing::full(&system).policy();
        let gate = Gate::new(Box::new(system.clone()), Some("/etc/hook".into()), policy);
        assert_eq!(gate.run_hook("filesystem", HookPhase::Freeze), Ok(()));
        assert_eq!(gate.run_hook("filesystem", HookPhase::Thaw), Ok(()));
        assert_eq!(system.events(), ["run /etc/hook freeze", "run /etc/hook thaw"]);
    }

    #[test]
    fn a_script_that_fails_is_told_by_its_path() {
        let system = Fake::default();
        system.install("/etc/hook", Err(ProgramError::TimedOut));
        let policy = testing::full(&system).policy();
        let gate = Gate::new(Box::new(system.clone()), Some("/etc/hook".into()), policy);
        let failure = ProgramFailure { program: "/etc/hook".to_owned(), why: ProgramError::TimedOut };
        assert_eq!(gate.run_hook("filesystem", HookPhase::Freeze), Err(Refusal::Failed(failure)));
        assert_eq!(gate.run_hook("file", HookPhase::Freeze), Err(Refusal::Denied));
    }

    #[test]
    fn without_a_script_nothing_runs() {
        let system = Fake::default();
        let gate = testing::full(&system);
        assert_eq!(gate.run_hook("filesystem", HookPhase::Freeze), Ok(()));
        assert_eq!(system.events(), [""; 0]);
    }
}
