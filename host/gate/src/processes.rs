//! `processes`: starting programs.

use crate::{Capability, Ending, Errno, Gate, GateError, Spawn, Spawned};

impl Gate {
    /// Starts a program. Where `program.path` is a name, it is searched first: what is executed is a file that is known by
    /// its path here, where it can be judged.
    pub fn spawn(&self, module: &str, mut program: Spawn) -> Result<Spawned, GateError<Errno>> {
        self.require(module, Capability::Processes)?;
        let search_path = program.environment.as_deref().and_then(search_path);
        program.path = self.system.find_program(&program.path, search_path)?;
        Ok(self.system.spawn(&program)?)
    }

    /// How a program that was started ended; nothing while it runs. No grant is asked for: it is the host that waits for
    /// what it has started.
    pub fn reap(&self, pid: i32) -> Result<Option<Ending>, Errno> {
        self.system.reap(pid)
    }
}

/// The value of PATH. The first counts, as for getenv(3).
fn search_path(environment: &[Vec<u8>]) -> Option<&[u8]> {
    environment.iter().find_map(|variable| variable.strip_prefix(b"PATH="))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bulkhead_sys::{Fake, Linux, Output};

    fn program(path: &str, environment: Option<&[&str]>) -> Spawn {
        Spawn {
            path: path.into(),
            arguments: vec![path.into(), b"now".to_vec()],
            environment: environment.map(|lines| lines.iter().map(|line| line.as_bytes().to_vec()).collect()),
            input: false,
            stdout: Output::Discard,
            stderr: Output::Discard,
        }
    }

    #[test]
    fn a_name_is_searched_and_a_path_is_not() {
        let system = Fake::default();
        system.install("/sbin/halt", Ok(()));
        let gate = Gate::new(Box::new(system.clone()), None);
        assert_eq!(gate.spawn("exec", program("halt", None)).map(|it| it.pid).ok(), Some(1));
        assert!(gate.spawn("exec", program("/sbin/halt", None)).is_ok());
        assert_eq!(gate.spawn("exec", program("/bin/halt", None)).err(), Some(GateError::Failed(Errno::ENOENT)));
        assert_eq!(system.events(), ["spawn /sbin/halt now", "spawn /sbin/halt now"]);
    }

    #[test]
    fn only_the_module_that_was_granted_processes_starts_one() {
        let system = Fake::default();
        system.install("/sbin/halt", Ok(()));
        let gate = Gate::new(Box::new(system.clone()), None);
        assert!(matches!(gate.spawn("file", program("/sbin/halt", None)), Err(GateError::Denied { .. })));
        assert_eq!(system.events(), [""; 0]);
    }

    #[test]
    fn the_first_path_of_its_environment_is_searched() {
        let gate = Gate::new(Box::new(Linux), None);
        let refused = |environment| gate.spawn("exec", program("true", Some(environment))).err();
        assert_eq!(refused(&["PATH=/nowhere", "PATH=/bin"]), Some(GateError::Failed(Errno::ENOENT)));
        assert_eq!(refused(&["OTHER=1", "XPATH=/nowhere", "PATH=/bin:/nowhere"]), None);
        assert_eq!(refused(&["PATH="]), Some(GateError::Failed(Errno::ENOENT)), "the working directory");
        assert_eq!(refused(&[]), None, "without one the agent's own");
    }
}
