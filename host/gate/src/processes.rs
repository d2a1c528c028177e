//! `processes`: starting programs.

use crate::{ChildNumber, Errno, Gate, Manner, Refusal, Spawn, Spawned};
use bulkhead_catalog::Capability;
use bulkhead_policy::{Ask, Grant};
use bulkhead_sys::Thing;
use std::time::Duration;

/// A program that was started.
#[derive(Debug)]
pub struct Started {
    /// By which it is waited for.
    pub number: ChildNumber,
    /// Its process id, and our ends of its pipes.
    pub spawned: Spawned,
    /// How long it may run. It leads a process group of its own then, and only then.
    pub time_limit: Option<Duration>,
    /// How much of each of its outputs is kept, in bytes.
    pub output_limit: Option<usize>,
}

/// How the rule that permits a program wants it run.
#[derive(Debug, Default)]
struct Settings {
    run_as: Option<String>,
    time_limit: Option<Duration>,
    output_limit: Option<usize>,
}

impl Gate {
    /// Starts a program. Where `program.path` is a name, it is searched first, in the PATH that the client has set for it.
    ///
    /// What is judged is the file that was found, links followed, and this very file is executed, by its own path if nobody but
    /// root can put another there; so it does not matter how a client, or a PATH of its, leads there. Whether a program that no
    /// rule permits is there is not told: one that is not is denied like one that is.
    pub fn spawn(&self, module: &str, mut program: Spawn) -> Result<Started, Refusal<Errno>> {
        if self.is_unrestricted(module, Capability::Processes) && !self.is_exact() {
            self.require(module, Capability::Processes, &[])?;
            return self.spawn_as_usual(program);
        }
        let may_be_permitted = self.policy().may_permit(module, Capability::Processes.name(), &[]);
        let found = match may_be_permitted || !self.denies_by_text() {
            true => self.find(&program).and_then(|path| self.system.locate_program(&path).map(|file| (path, file))),
            // Whatever it is: no permit speaks of any program.
            false => Err(Errno::EACCES),
        };
        let names: Vec<&[u8]> = program.environment.iter().flatten().map(|variable| name(variable)).collect();
        let policy = self.policy();
        let also = match &found {
            Ok((_, located)) => {
                self.also(&policy, (module, Capability::Processes, "programs"), Thing::Program(located))
            }
            Err(_) => Vec::new(),
        };
        // One that is not there is what the client calls it.
        let called = found.as_ref().map_or(&program.path, |(_, located)| &located.path);
        let asks = [
            ("programs", Ask::Thing { name: called, also: &also }),
            ("arguments", Ask::Arguments(program.arguments.get(1..).unwrap_or_default())),
            ("environment", Ask::Names(&names)),
        ];
        let settings = self.settings(module, Capability::Processes, &asks, |rule| rule.map(Settings::of))?;
        // What is denied and only observed goes the usual way.
        let Some(Settings { run_as, time_limit, output_limit }) = settings else {
            return self.spawn_as_usual(program);
        };
        let (path, located) = found?;
        // Some programs do what they are called: busybox, killall5. Under a rule that names the file it has the file's name,
        // or a client that may run it would choose among all that it can be.
        if let Some(first) = program.arguments.first_mut() {
            first.clone_from(&located.path);
        }
        // Where nobody can put another file at its path, the path is as good, and a script knows by it where it lies.
        let (path, file) = if located.is_fixed { (located.path, None) } else { (path, Some(located.file)) };
        program.path = path;
        program.manner = Manner { file, exact: true, user: run_as, own_group: time_limit.is_some() };
        self.started(&program, time_limit, output_limit)
    }

    /// As qemu-ga would.
    fn spawn_as_usual(&self, mut program: Spawn) -> Result<Started, Refusal<Errno>> {
        program.path = self.find(&program)?;
        self.started(&program, None, None)
    }

    fn started(
        &self,
        program: &Spawn,
        time_limit: Option<Duration>,
        output_limit: Option<usize>,
    ) -> Result<Started, Refusal<Errno>> {
        let spawned = self.system.spawn(program)?;
        let number = self.children.borrow_mut().add(spawned.pid, program.manner.own_group);
        Ok(Started { number, spawned, time_limit, output_limit })
    }

    fn find(&self, program: &Spawn) -> Result<Vec<u8>, Errno> {
        self.system.find_program(&program.path, program.environment.as_deref().and_then(search_path))
    }
}

impl Settings {
    fn of(rule: &Grant) -> Self {
        Settings {
            run_as: rule.user("run-as").map(str::to_owned),
            time_limit: rule.time("time-limit"),
            output_limit: rule.size("output-limit").map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX)),
        }
    }
}

/// The name of NAME=VALUE. What has no `=` has none: it may be a value that somebody put there by mistake, and names are
/// written down for the owner.
fn name(variable: &[u8]) -> &[u8] {
    variable.iter().position(|byte| *byte == b'=').map_or(b"", |end| &variable[..end])
}

/// The value of PATH. The first counts, as for getenv(3).
fn search_path(environment: &[Vec<u8>]) -> Option<&[u8]> {
    environment.iter().find_map(|variable| variable.strip_prefix(b"PATH="))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Output, Standing, testing};
    use bulkhead_sys::{Fake, Linux};

    fn program(path: &str, environment: Option<&[&str]>) -> Spawn {
        Spawn {
            path: path.into(),
            arguments: vec![path.into(), b"now".to_vec()],
            environment: environment.map(|lines| lines.iter().map(|line| line.as_bytes().to_vec()).collect()),
            input: false,
            stdout: Output::Discard,
            stderr: Output::Discard,
            manner: Manner::default(),
        }
    }

    fn system() -> Fake {
        let system = Fake::default();
        system.install("/sbin/halt", Ok(()));
        system.install("/bin/sh", Ok(()));
        system.link_program("/usr/bin/stop", "/sbin/halt");
        system.link_program("/tmp/halt", "/bin/sh");
        system
    }

    /// A permit for /sbin/halt, with these lines, and other rules.
    fn permit(lines: &str) -> String {
        format!(
            "[[permit]]\ncapability = \"processes\"\nmodules = [\"exec\"]\nprograms = [\"/sbin/halt\"]\nreason = \"x\"\n{lines}\n"
        )
    }

    /// What becomes of a start: the errno, or "denied", or the last event.
    fn outcome(gate: &Gate, system: &Fake, program: Spawn) -> String {
        match gate.spawn("exec", program) {
            Ok(_) => system.events().pop().unwrap_or_default(),
            Err(Refusal::Failed(errno)) => format!("{errno:?}"),
            Err(Refusal::Denied) => "denied".to_owned(),
        }
    }

    #[test]
    fn a_name_is_searched_and_a_path_is_not() {
        let system = system();
        let gate = testing::full(&system);
        assert_eq!(outcome(&gate, &system, program("halt", None)), "spawn /sbin/halt now");
        assert_eq!(outcome(&gate, &system, program("/sbin/halt", None)), "spawn /sbin/halt now");
        assert_eq!(outcome(&gate, &system, program("/bin/halt", None)), "ENOENT");
        assert_eq!(outcome(&gate, &system, program("stop", None)), "spawn /usr/bin/stop now", "what is at the path");
    }

    #[test]
    fn only_the_module_that_was_granted_processes_starts_one() {
        let system = system();
        for gate in [testing::full(&system), testing::with(&system, &permit(""))] {
            assert!(matches!(gate.spawn("file", program("/sbin/halt", None)), Err(Refusal::Denied)));
        }
        assert_eq!(system.events(), [""; 0]);
    }

    #[test]
    fn the_first_path_of_its_environment_is_searched() {
        let gate = testing::in_front_of(Box::new(Linux));
        let refused = |environment| gate.spawn("exec", program("true", Some(environment))).err();
        assert_eq!(refused(&["PATH=/nowhere", "PATH=/bin"]), Some(Refusal::Failed(Errno::ENOENT)));
        assert_eq!(refused(&["OTHER=1", "XPATH=/nowhere", "PATH=/bin:/nowhere"]), None);
        assert_eq!(refused(&["PATH="]), Some(Refusal::Failed(Errno::ENOENT)), "the working directory");
        assert_eq!(refused(&[]), None, "without one the agent's own");
    }

    #[test]
    fn the_file_at_the_end_of_all_links_is_judged_and_executed() {
        let system = system();
        let gate = testing::with(&system, &permit(""));
        assert_eq!(outcome(&gate, &system, program("/sbin/halt", None)), "execute /sbin/halt now");
        assert_eq!(outcome(&gate, &system, program("stop", None)), "execute /usr/bin/stop now");
        assert_eq!(outcome(&gate, &system, program("/tmp/halt", None)), "denied", "it is the shell");
    }

    #[test]
    fn what_is_forbidden_by_one_name_is_forbidden_by_all() {
        let system = system();
        let forbid = |program: &str| {
            let permits = permit("").replace("\"/sbin/halt\"", "\"*\"");
            let forbid =
                format!("[[forbid]]\ncapability = \"processes\"\nprograms = [\"{program}\"]\nreason = \"x\"\n");
            testing::with(&system, &(permits + &forbid))
        };
        let gate = forbid("/usr/bin/stop");
        for path in ["/sbin/halt", "/usr/bin/stop", "halt", "stop"] {
            assert_eq!(outcome(&gate, &system, program(path, None)), "denied", "{path}");
        }
        assert_eq!(outcome(&gate, &system, program("/bin/sh", None)), "execute /bin/sh now");
        assert_eq!(outcome(&forbid("/tmp/halt"), &system, program("/bin/sh", None)), "denied", "it is the shell");
        assert_eq!(outcome(&forbid("/no/such"), &system, program("/bin/sh", None)), "execute /bin/sh now");
    }

    #[test]
    fn what_is_not_permitted_is_denied_whether_it_is_there_or_not() {
        let system = system();
        let gate = testing::with(&system, &permit(""));
        for path in ["/bin/sh", "sh", "/no/such/program", "none", ""] {
            assert_eq!(outcome(&gate, &system, program(path, None)), "denied", "{path}");
        }
        let rules = permit("").replace("/sbin/halt", "/sbin/missing");
        let gate = testing::with(&system, &rules);
        assert_eq!(outcome(&gate, &system, program("/sbin/missing", None)), "ENOENT", "the owner hides nothing here");
        assert_eq!(system.events(), [""; 0]);
    }

    #[test]
    fn arguments_are_judged_without_the_programs_name() {
        let system = system();
        for (templates, expected) in [
            ("[[\"now\"]]", "execute /sbin/halt now"),
            ("[[\"later\"], []]", "denied"),
            ("[[\"*\", \"**\"]]", "execute /sbin/halt now"),
        ] {
            let gate = testing::with(&system, &permit(&format!("arguments = {templates}")));
            assert_eq!(outcome(&gate, &system, program("/sbin/halt", None)), expected, "{templates}");
        }
    }

    #[test]
    fn the_client_sets_the_variables_that_it_may_set() {
        let system = system();
        let gate = testing::with(&system, &permit("environment = [\"LANG\", \"PATH\"]"));
        let with = |environment: Option<&[&str]>| outcome(&gate, &system, program("/sbin/halt", environment));
        assert_eq!(with(Some(&["LANG=C=x", "PATH=/bin"])), "execute /sbin/halt now");
        assert_eq!(with(Some(&[])), "execute /sbin/halt now");
        assert_eq!(with(None), "execute /sbin/halt now", "it inherits the agent's own");
        for variable in ["LD_PRELOAD=/tmp/evil.so", "LANGUAGE=C", "LANG", "LAN", "=C", ""] {
            assert_eq!(with(Some(&["LANG=C", variable])), "denied", "{variable}");
        }
    }

    #[test]
    fn it_runs_as_the_rule_says() {
        let system = system();
        let gate =
            testing::with(&system, &permit("run-as = \"nobody\"\ntime-limit = \"90s\"\noutput-limit = \"5KiB\""));
        let started = gate.spawn("exec", program("halt", None)).unwrap();
        assert_eq!((started.time_limit, started.output_limit), (Some(Duration::from_secs(90)), Some(5 << 10)));
        assert_eq!(system.events(), ["execute /sbin/halt now as nobody in its own group"]);
        let started = testing::with(&system, &permit("")).spawn("exec", program("halt", None)).unwrap();
        assert_eq!((started.time_limit, started.output_limit), (None, None));
    }

    #[test]
    fn what_is_only_observed_goes_the_usual_way() {
        let system = system();
        let gate = testing::with(&system, &permit("run-as = \"nobody\""));
        gate.begin(Standing { observe: true, ..Standing::default() });
        assert_eq!(outcome(&gate, &system, program("/tmp/halt", None)), "spawn /tmp/halt now");
        assert_eq!(outcome(&gate, &system, program("/no/such/program", None)), "ENOENT");
        assert_eq!(outcome(&gate, &system, program("/sbin/halt", None)), "execute /sbin/halt now as nobody");
        let judgements = gate.end().list;
        let permits: Vec<_> = judgements.iter().map(|it| it.permit.clone().unwrap_or_default()).collect();
        assert!(permits[0].contains("programs = [\"/bin/sh\"]"), "{permits:?}");
        assert!(permits[1].contains("programs = [\"/no/such/program\"]"), "{permits:?}");
        assert_eq!(judgements.iter().map(|it| it.allowed).collect::<Vec<_>>(), [false, false, true]);
    }
}
