//! Running a program to its end.

use super::super::Linux;
use super::{errno, patience, processes};
use crate::{Ending, Processes, Program, ProgramError};
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, killpg};
use nix::sys::wait::waitpid;
use nix::unistd::Pid;
use std::io::{ErrorKind, PipeReader, PipeWriter, Read, Write};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

/// How often a program that prints nothing is asked whether it has ended, and given more input if it takes some. Its end
/// is not seen through its output: something it left in the background may hold that open for ever.
const CHECK: Duration = Duration::from_millis(10);

/// How much longer than its program's time limit the thread is waited for that runs it, and kills it then.
const END: Duration = Duration::from_secs(5);

/// By a thread that may wait: programs may be on a server that is gone, and some cannot be killed at
/// their time limit because they wait for one.
pub(super) fn run(program: &Program) -> Result<(), ProgramError> {
    let (theirs, limit) = (program.clone(), program.time_limit + END);
    // One that cannot be killed is not started again, not with the same words.
    let words = program.arguments.iter().map(String::as_bytes);
    let words = std::iter::once(&program.path[..]).chain(words).collect::<Vec<_>>().join(&0);
    let ended = patience::have_done(("run", words), limit, move || Ok(run_patiently(&theirs)));
    match ended {
        Ok(ended) => ended,
        Err(Errno::ETIMEDOUT) => Err(ProgramError::TimedOut),
        Err(errno) => Err(ProgramError::NotStarted(errno)),
    }
}

fn run_patiently(program: &Program) -> Result<(), ProgramError> {
    let (input, output, pid) = start(program).map_err(ProgramError::NotStarted)?;
    let mut input = Input { pipe: input, left: &program.input };
    let mut output = Output { pipe: output, kept: Vec::new(), limit: program.output_limit, open: true };
    match wait(pid, &mut input, &mut output, Instant::now() + program.time_limit) {
        Some(ending) => verdict(ending, output.kept),
        None => {
            // The group and not the child alone: a hook script's own children must not live on.
            let _ = killpg(pid, Signal::SIGKILL);
            while waitpid(pid, None) == Err(Errno::EINTR) {}
            Err(ProgramError::TimedOut)
        }
    }
}

/// The ends of the program's pipes that are ours, and its process, which leads a session and a group of its own. Without input it
/// has no pipe for it.
fn start(program: &Program) -> Result<(Option<PipeWriter>, PipeReader, Pid), Errno> {
    let (stdin, input) = if program.input.is_empty() {
        (None, None)
    } else {
        let (reader, writer) = std::io::pipe().map_err(errno)?;
        fcntl(&writer, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        (Some(reader), Some(writer))
    };
    let (output, writer) = std::io::pipe().map_err(errno)?;
    let words = std::iter::once(&program.path[..]).chain(program.arguments.iter().map(String::as_bytes));
    let streams = [stdin.as_ref().map(AsFd::as_fd), Some(writer.as_fd()), Some(writer.as_fd())];
    let pid = processes::start(&program.path, words, streams)?;
    Ok((input, output, pid))
}

/// How the program ended, or nothing at the deadline.
fn wait(pid: Pid, input: &mut Input, output: &mut Output, deadline: Instant) -> Option<Ending> {
    loop {
        input.write();
        let left = deadline.saturating_duration_since(Instant::now());
        output.read(left.min(CHECK));
        match Linux.reap(pid.as_raw()) {
            Ok(Some(ending)) => {
                output.read(Duration::ZERO);
                return Some(ending);
            }
            Ok(None) if left.is_zero() => return None,
            Ok(None) | Err(Errno::EINTR) => {}
            // Somebody else waited for it; then nobody knows how it ended.
            Err(_) => return Some(Ending::Exited(0)),
        }
    }
}

fn verdict(ending: Ending, output: Vec<u8>) -> Result<(), ProgramError> {
    match ending {
        Ending::Exited(0) => Ok(()),
        Ending::Exited(status) => Err(ProgramError::Exited { status, output }),
        Ending::Killed(signal) => Err(ProgramError::Killed { signal, output }),
    }
}

/// What a program is told.
struct Input<'a> {
    pipe: Option<PipeWriter>,
    left: &'a [u8],
}

impl Input<'_> {
    /// Writes as much as the program's pipe takes now, and closes it behind the last byte.
    fn write(&mut self) {
        while let Some(pipe) = &mut self.pipe {
            match pipe.write(self.left) {
                Ok(count) => self.left = &self.left[count..],
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                // Nobody reads it any more. If the program minds, its exit status says so.
                Err(_) => self.left = &[],
            }
            if self.left.is_empty() {
                self.pipe = None;
            }
        }
    }
}

/// What a program prints.
struct Output {
    pipe: PipeReader,
    kept: Vec<u8>,
    limit: usize,
    open: bool,
}

impl Output {
    /// Reads what is there, waiting at most `patience` for something to come.
    fn read(&mut self, mut patience: Duration) {
        if !self.open {
            std::thread::sleep(patience);
            return;
        }
        while self.open && self.is_ready(patience) {
            patience = Duration::ZERO;
            let mut piece = [0; 4096];
            match self.pipe.read(&mut piece) {
                Ok(0) => self.open = false,
                Ok(count) => {
                    let room = self.limit - self.kept.len();
                    self.kept.extend_from_slice(&piece[..count.min(room)]);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => self.open = false,
            }
        }
    }

    fn is_ready(&self, patience: Duration) -> bool {
        let timeout = PollTimeout::try_from(patience).unwrap_or(PollTimeout::ZERO);
        poll(&mut [PollFd::new(self.pipe.as_fd(), PollFlags::POLLIN)], timeout).is_ok_and(|ready| ready > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Programs;
    use std::process::Command;

    fn shell(script: &str, seconds: u64) -> Result<(), ProgramError> {
        told(script, b"", seconds)
    }

    fn told(script: &str, input: &[u8], seconds: u64) -> Result<(), ProgramError> {
        run(&Program {
            path: b"/bin/sh".to_vec(),
            arguments: vec!["-c".to_owned(), script.to_owned()],
            input: input.to_vec(),
            time_limit: Duration::from_secs(seconds),
            output_limit: 8,
        })
    }

    #[test]
    fn success_says_nothing() {
        assert_eq!(shell("echo words; exit 0", 60), Ok(()));
    }

    #[test]
    fn a_failure_tells_status_and_the_first_output() {
        let output = b"out\nerr\n".to_vec();
        assert_eq!(shell("echo out; echo err >&2; exit 7", 60), Err(ProgramError::Exited { status: 7, output }));
        assert_eq!(
            shell("yes | head -c 100000; exit 1", 60),
            Err(ProgramError::Exited { status: 1, output: b"y\ny\ny\ny\n".to_vec() })
        );
        assert_eq!(shell("kill -9 $$", 60), Err(ProgramError::Killed { signal: 9, output: Vec::new() }));
    }

    #[test]
    fn input_arrives_and_ends() {
        let said = |text: &[u8]| Err(ProgramError::Exited { status: 1, output: text.to_vec() });
        assert_eq!(told("cat; exit 1", b"a:\xFF\nb", 60), said(b"a:\xFF\nb"));
        assert_eq!(told("head -c 1; exit 1", b"word\n", 60), said(b"w"));
        assert_eq!(told("cat; exit 1", b"", 60), said(b""), "without input there is nothing to wait for");
        // More than a pipe holds, to one that takes its time and to one that answers meanwhile.
        let long = [b'x'; 200_000];
        assert_eq!(told("sleep 0.05; wc -c; exit 1", &long, 60), said(b"200000\n"));
        assert_eq!(told("cat; exit 1", &long, 60), said(b"xxxxxxxx"));
    }

    #[test]
    fn who_does_not_listen_is_not_pressed() {
        let long = [b'x'; 200_000];
        assert_eq!(told("exit 0", &long, 60), Ok(()));
        assert_eq!(told("exec <&-; sleep 0.05; exit 0", &long, 60), Ok(()));
        assert_eq!(told("sleep 60", &long, 1), Err(ProgramError::TimedOut));
    }

    /// The processes that run `sleep` with this argument.
    fn sleepers(mark: &str) -> Vec<String> {
        let found = Command::new("pgrep").args(["-f", &format!("^sleep {mark}$")]).output().unwrap();
        String::from_utf8_lossy(&found.stdout).lines().map(str::to_owned).collect()
    }

    #[test]
    fn what_stays_in_the_background_is_not_waited_for() {
        let mark = format!("4{}", std::process::id());
        assert_eq!(shell(&format!("sleep {mark} & exit 0"), 60), Ok(()));
        let left = sleepers(&mark);
        assert_eq!(left.len(), 1, "it still runs, and holds the output open");
        assert!(Command::new("kill").args(&left).status().unwrap().success());
    }

    #[test]
    fn too_long_is_killed_with_its_children() {
        let mark = format!("3{}", std::process::id());
        assert_eq!(shell(&format!("sleep {mark} & sleep {mark}"), 1), Err(ProgramError::TimedOut));
        assert_eq!(sleepers(&mark), [""; 0]);
    }

    #[test]
    fn a_program_that_is_not_there_is_not_started() {
        let program = Program {
            path: b"/no/such/program".to_vec(),
            arguments: Vec::new(),
            input: Vec::new(),
            time_limit: Duration::from_secs(1),
            output_limit: 0,
        };
        assert_eq!(run(&program), Err(ProgramError::NotStarted(Errno::ENOENT)));
        assert!(!Linux.is_executable(&program.path));
    }
}
