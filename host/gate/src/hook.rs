//! The owner's freeze hook script. Its path comes from the command line, so a module can only say when it runs.

use crate::{Gate, GateError, ProgramError};
use bulkhead_catalog::Capability;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

/// How long a hook script may take. A database may need minutes to come to rest, and backup tools wait ten minutes
/// and more for a freeze; a script that hangs would otherwise hold the agent for ever.
const TIME_LIMIT: Duration = Duration::from_secs(600);

/// When a hook script runs. The word is its argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HookPhase {
    /// Before the first file system freezes.
    Freeze,
    /// After the last one thawed.
    Thaw,
}

impl Gate {
    /// The hook script's path, for messages.
    pub fn hook(&self) -> Option<&Path> {
        self.hook.as_deref()
    }

    /// Runs the hook script for `phase`; without one does nothing.
    pub fn run_hook(&self, module: &str, phase: HookPhase) -> Result<(), GateError<ProgramError>> {
        // What was frozen must thaw, and what the script has halted must go on: that is never refused.
        if phase == HookPhase::Freeze {
            self.require(module, Capability::Freezer, &[])?;
        }
        let Some(hook) = &self.hook else { return Ok(()) };
        let word = match phase {
            HookPhase::Freeze => "freeze",
            HookPhase::Thaw => "thaw",
        };
        Ok(self.run_program(hook.as_os_str().as_bytes(), &[word], Vec::new(), TIME_LIMIT)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
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
    fn without_a_script_nothing_runs() {
        let system = Fake::default();
        let gate = testing::full(&system);
        assert_eq!(gate.run_hook("filesystem", HookPhase::Freeze), Ok(()));
        assert_eq!(system.events(), [""; 0]);
    }
}
