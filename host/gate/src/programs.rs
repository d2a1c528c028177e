//! Running the programs that the gate itself knows. None of their paths and words is a client's.

use crate::{Errno, Gate, ProgramError, ProgramFailure};
use bulkhead_sys::Program;
use std::time::Duration;

/// How much of a failing program's output the client is shown, in bytes: enough for a message and its context, too
/// little to carry a file out.
const OUTPUT_LIMIT: usize = 4096;

/// Where programs are searched besides the agent's PATH, which a service manager, or an owner's line for another purpose, may
/// have left short or empty. The last is NixOS's, where there is nothing in the others.
const FOLDERS: &[u8] = b"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/run/current-system/sw/bin";

/// Tells of a failure of the program that messages call `program`, wherever it was found.
pub(crate) fn called(program: &str) -> impl FnOnce(ProgramError) -> ProgramFailure {
    move |why| ProgramFailure { program: program.to_owned(), why }
}

impl Gate {
    /// Where the program of this name is.
    pub(crate) fn find_named(&self, name: &str) -> Result<Vec<u8>, Errno> {
        self.search(b"", name)
    }

    /// Where the program is that qemu-ga has at `path`, a fixed place in /sbin: there, or in /usr/sbin, or else where the
    /// program of its name is.
    pub(crate) fn find_fixed(&self, path: &str) -> Result<Vec<u8>, Errno> {
        if self.system.is_executable(path.as_bytes()) {
            return Ok(path.into());
        }
        self.search(b"/sbin:/usr/sbin:", path.rsplit('/').next().unwrap_or(path))
    }

    fn search(&self, first: &[u8], name: &str) -> Result<Vec<u8>, Errno> {
        let own = self.system.environment("PATH").filter(|path| !path.is_empty());
        let own = own.map(|mut path| {
            path.push(b':');
            path
        });
        let folders = [first, own.as_deref().unwrap_or_default(), FOLDERS].concat();
        self.system.find_program(name.as_bytes(), Some(&folders))
    }

    /// Runs a program to its end, which it has to come to within `time_limit`, and with the others of the request within what
    /// one may take. `input` is never logged.
    pub(crate) fn run_program(
        &self,
        path: &[u8],
        arguments: &[&str],
        input: Vec<u8>,
        time_limit: Duration,
    ) -> Result<(), ProgramError> {
        self.allow_program(time_limit, |time_limit| {
            self.system.run(&Program {
                path: path.to_vec(),
                arguments: arguments.iter().map(|word| (*word).to_owned()).collect(),
                input,
                time_limit,
                output_limit: OUTPUT_LIMIT,
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use bulkhead_sys::{Fake, Linux};

    #[test]
    fn a_program_is_where_qemu_ga_has_it_or_elsewhere() {
        let system = Fake::default();
        let gate = testing::full(&system);
        assert_eq!(gate.find_fixed("/sbin/hwclock"), Err(Errno::ENOENT));
        system.install("/nix/bin/hwclock", Ok(()));
        assert_eq!(gate.find_fixed("/sbin/hwclock"), Ok(b"/nix/bin/hwclock".to_vec()));
        system.install("/sbin/hwclock", Ok(()));
        assert_eq!(gate.find_fixed("/sbin/hwclock"), Ok(b"/sbin/hwclock".to_vec()));
    }

    #[test]
    fn the_places_do_not_depend_on_the_agents_path() {
        let gate = testing::in_front_of(Box::new(Linux));
        let found = gate.find_named("sh").map(|path| String::from_utf8(path).unwrap());
        assert!(found.is_ok_and(|path| path.ends_with("/sh")));
        assert_eq!(gate.find_named("no-such-program"), Err(Errno::ENOENT));
        for folder in FOLDERS.split(|byte| *byte == b':') {
            assert!(folder.starts_with(b"/"), "an empty one would be the working directory");
        }
    }
}
