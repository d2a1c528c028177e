//! A program in the manner that an owner's rule says: this very file, as this user.

use super::super::patience;
use super::user::{Rights, User};
use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::libc::{self, c_char, c_int, c_void};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, SigmaskHow, Signal, kill, pthread_sigmask};
use nix::sys::wait::waitpid;
use nix::unistd::{Pid, chdir, dup2_stderr, dup2_stdin, dup2_stdout, pipe2, read, setsid};
use std::convert::Infallible;
use std::ffi::CString;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::time::Duration;

/// Under which number a program has its own file, which only the interpreter of a script keeps: its `$0` is `/dev/fd/3`.
const SCRIPT: RawFd = 3;

/// The stack on which a process begins, in bytes. A few small functions, and system calls.
const STACK: usize = 64 * 1024;

/// How long a process may take to become the program, as a user. It bounds what that user can do to the agent by stopping
/// the process in between; an honest one takes less than a millisecond.
const PATIENCE: u16 = 10_000;

/// What there is to execute.
#[derive(Debug)]
pub(super) struct Program<'a> {
    /// What is there is executed if there is no `file`.
    pub(super) path: &'a CString,
    pub(super) file: Option<BorrowedFd<'a>>,
    pub(super) arguments: &'a [CString],
    pub(super) environment: &'a [CString],
    /// Its standard input, output and error.
    pub(super) streams: [BorrowedFd<'a>; 3],
}

/// What a process does before it is the program.
struct Steps<'a> {
    file: Option<BorrowedFd<'a>>,
    path: *const c_char,
    arguments: Vec<*const c_char>,
    environment: Vec<*const c_char>,
    streams: [BorrowedFd<'a>; 3],
    rights: Option<&'a Rights>,
    has_user: bool,
    /// Where it writes the errno of what it could not do. Closed when it is the program.
    complaints: BorrowedFd<'a>,
}

/// Starts it. How it could not be executed is known when this returns. There is no shell for a file that the kernel cannot
/// execute: it would run what is at the path, and that may be another file by then.
///
/// posix_spawn(3) can do neither, so the process is made here. It shares the agent's memory while the agent waits, as
/// posix_spawn's does: copying the page tables of an agent that holds much output takes milliseconds. But one that takes on
/// a user's rights gets a copy, for nothing that a user may touch shall share the agent's memory.
pub(super) fn execute(program: &Program<'_>, user: Option<&User>) -> Result<Pid, Errno> {
    let (reader, writer) = pipe2(OFlag::O_CLOEXEC)?;
    // Not under the number that the file is going to have; while the first is open, the second has another.
    let again = if writer.as_raw_fd() == SCRIPT { Some(writer.try_clone().map_err(|_| Errno::EMFILE)?) } else { None };
    let steps = Steps {
        file: program.file,
        path: if program.file.is_some() { c"".as_ptr() } else { program.path.as_ptr() },
        arguments: pointers(program.arguments),
        environment: pointers(program.environment),
        streams: program.streams,
        rights: user.and_then(User::rights),
        has_user: user.is_some(),
        complaints: again.as_ref().unwrap_or(&writer).as_fd(),
    };
    let made = make_process(&steps);
    drop((writer, again));
    let pid = made?;
    match complaint(&reader) {
        Ok(None) => Ok(pid),
        Ok(Some(errno)) => {
            while waitpid(pid, None) == Err(Errno::EINTR) {}
            Err(errno)
        }
        Err(errno) => {
            let _ = kill(pid, Signal::SIGKILL);
            let wait = move || waitpid(pid, None).map(drop);
            let _ = patience::ask(("killed", pid.to_string().into_bytes()), Duration::from_millis(100), wait);
            Err(errno)
        }
    }
}

/// With the NULL at the end. They are good as long as `words` is.
fn pointers(words: &[CString]) -> Vec<*const c_char> {
    words.iter().map(|word| word.as_ptr()).chain([std::ptr::null()]).collect()
}

/// A process that takes the steps. No signal handler of the agent runs in it: signals are blocked until it has none.
fn make_process(steps: &Steps<'_>) -> Result<Pid, Errno> {
    let flags = if steps.rights.is_some() { 0 } else { libc::CLONE_VM | libc::CLONE_VFORK };
    let mut stack = vec![0_u128; STACK / size_of::<u128>()];
    let mut before = SigSet::empty();
    pthread_sigmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::all()), Some(&mut before))?;
    let steps: *const Steps<'_> = steps;
    // SAFETY: the process runs `begin` on a stack that is nobody else's, with a pointer to steps that live until this
    // function is over. Either the kernel holds this thread until the process has another memory (CLONE_VFORK), or it has its
    // own copy from the start (without CLONE_VM).
    #[expect(unsafe_code, reason = "clone(2)")]
    let pid = unsafe {
        libc::clone(begin, stack.as_mut_ptr_range().end.cast(), flags | libc::SIGCHLD, steps.cast_mut().cast())
    };
    let pid = Errno::result(pid);
    pthread_sigmask(SigmaskHow::SIG_SETMASK, Some(&before), None)?;
    pid.map(Pid::from_raw)
}

/// The errno that the process has written; none if it is the program by now.
fn complaint(reader: &OwnedFd) -> Result<Option<Errno>, Errno> {
    loop {
        match poll(&mut [PollFd::new(reader.as_fd(), PollFlags::POLLIN)], PollTimeout::from(PATIENCE)) {
            Ok(0) => return Err(Errno::ETIMEDOUT),
            Err(Errno::EINTR) => continue,
            outcome => drop(outcome?),
        }
        let mut number = [0; size_of::<c_int>()];
        match read(reader, &mut number) {
            Err(Errno::EINTR) => {}
            Ok(0) => return Ok(None),
            outcome => return outcome.map(|_| Some(Errno::from_raw(c_int::from_ne_bytes(number)))),
        }
    }
}

/// The life of the process. It may share the agent's memory, while other threads of the agent go on: nothing here, nor in
/// what it calls, takes memory or a lock, or panics.
extern "C" fn begin(steps: *mut c_void) -> c_int {
    // SAFETY: `make_process` hands over a pointer to steps that live as long as this process needs them.
    #[expect(unsafe_code, reason = "clone(2) passes a pointer")]
    let steps = unsafe { &*steps.cast::<Steps<'_>>() };
    let Err(errno) = steps.take();
    // Should it fail, nobody hears of it, and the process ends all the same.
    let _ = nix::unistd::write(steps.complaints, &(errno as c_int).to_ne_bytes());
    127
}

impl Steps<'_> {
    fn take(&self) -> Result<Infallible, Errno> {
        forget_handlers();
        setsid()?;
        let [stdin, stdout, stderr] = self.streams;
        dup2_stdin(stdin)?;
        dup2_stdout(stdout)?;
        dup2_stderr(stderr)?;
        if let Some(file) = self.file
            && file.as_raw_fd() != SCRIPT
        {
            // SAFETY: two numbers. What was open under the second is the process's own copy, and of no use to it.
            #[expect(unsafe_code, reason = "dup3(2) to a number of our choice")]
            Errno::result(unsafe { libc::dup3(file.as_raw_fd(), SCRIPT, libc::O_CLOEXEC) })?;
        }
        if let Some(rights) = self.rights {
            rights.take_on()?;
        }
        if self.has_user {
            chdir("/")?;
        }
        pthread_sigmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::empty()), None)?;
        match self.become_program() {
            Errno::ENOENT if self.file.is_some() => {
                // The kernel's word for a script whose interpreter would not find it, since it is closed by then.
                // SAFETY: two numbers and a flag.
                #[expect(unsafe_code, reason = "the number has no owner that could be named")]
                Errno::result(unsafe { libc::fcntl(SCRIPT, libc::F_SETFD, 0) })?;
                Err(self.become_program())
            }
            errno => Err(errno),
        }
    }

    /// Comes back only if it failed.
    fn become_program(&self) -> Errno {
        let (folder, flags) = if self.file.is_some() { (SCRIPT, libc::AT_EMPTY_PATH) } else { (libc::AT_FDCWD, 0) };
        let (arguments, environment) = (self.arguments.as_ptr(), self.environment.as_ptr());
        // SAFETY: a string with its NUL, and two lists of such strings with their NULL, all of which live in the agent.
        #[expect(unsafe_code, reason = "execveat(2)")]
        let _ = unsafe { libc::syscall(libc::SYS_execveat, folder, self.path, arguments, environment, flags) };
        match Errno::last() {
            // There is no such call, or a filter that does not know it. What is really not permitted is not in this way, either.
            Errno::ENOSYS | Errno::EPERM => self.become_program_by_path(),
            errno => errno,
        }
    }

    /// The same file by its place among the open ones, which leads to it whatever is at its path by now.
    fn become_program_by_path(&self) -> Errno {
        let mut path = self.path;
        if self.file.is_some() {
            path = c"/proc/self/fd/3".as_ptr();
            // A script's interpreter has to find it there.
            // SAFETY: two numbers and a flag.
            #[expect(unsafe_code, reason = "the number has no owner that could be named")]
            let _ = unsafe { libc::fcntl(SCRIPT, libc::F_SETFD, 0) };
        }
        // SAFETY: a string with its NUL, and two lists of such strings with their NULL, all of which live in the agent.
        #[expect(unsafe_code, reason = "execve(2)")]
        let _ = unsafe { libc::execve(path, self.arguments.as_ptr(), self.environment.as_ptr()) };
        Errno::last()
    }
}

/// Has every signal do what it does by default, those included that the C library keeps for itself: it would refuse to, so
/// this goes past it. Where that is not allowed (SIGKILL, SIGSTOP) it is so anyway.
fn forget_handlers() {
    /// As long as the kernel's struct sigaction or longer: all zeros are the default, without flags.
    const DEFAULT: [u64; 8] = [0; 8];
    /// How long the kernel's set of signals is, in bytes.
    const SET: usize = 8;
    for signal in 1..=64 {
        // SAFETY: the kernel reads a struct sigaction, and writes nothing, for there is no pointer to write to.
        #[expect(unsafe_code, reason = "rt_sigaction(2)")]
        let _ =
            unsafe { libc::syscall(libc::SYS_rt_sigaction, signal, DEFAULT.as_ptr(), std::ptr::null::<c_void>(), SET) };
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Scratch, ending, run, shell, started, text};
    use super::*;
    use crate::linux::filter::{alone, refuse_all};
    use crate::{Ending, Linux, Manner, Output, Processes, Programs, Spawn};
    use nix::unistd::{Uid, geteuid};
    use std::os::unix::ffi::OsStrExt;
    use std::path::Path;

    /// The file that is at the path now, with arguments.
    fn this(path: &Path, arguments: &[&str]) -> Spawn {
        let path = path.as_os_str().as_bytes().to_vec();
        let file = Some(Linux.locate_program(&path).unwrap().file);
        let words = ["called"].iter().chain(arguments).map(|word| word.as_bytes().to_vec()).collect();
        Spawn { path, arguments: words, manner: Manner { file, exact: true, ..Manner::default() }, ..shell("") }
    }

    fn as_user(user: &str, program: Spawn) -> Spawn {
        Spawn { manner: Manner { user: Some(user.to_owned()), ..program.manner }, ..program }
    }

    /// The lines that a shell prints, of the default manner but for this.
    fn told(script: &str, manner: Manner) -> String {
        run(&Spawn { manner, ..shell(script) }).1
    }

    #[test]
    fn a_program_runs_under_the_name_it_was_called_by() {
        let program = this(Path::new("/bin/sh"), &["-c", "echo $0"]);
        assert_eq!(run(&program), (Ending::Exited(0), "called\n".to_owned()));
        let lost = Spawn { path: b"/no/such/program".to_vec(), ..program };
        assert_eq!(run(&lost).1, "called\n", "no path is needed");
    }

    #[test]
    fn a_script_is_read_by_its_interpreter_and_has_a_number_for_a_name() {
        let scratch = Scratch::new();
        let script = scratch.program("script", "#!/bin/sh\necho \"$0 $1 $2\"; ls /proc/self/fd\n");
        let (end, printed) = run(&this(&script, &["a", "b c"]));
        assert_eq!(end, Ending::Exited(0));
        assert!(printed.starts_with("/dev/fd/3 a b c\n0\n1\n2\n3\n"), "{printed}");
        let binary = run(&this(Path::new("/bin/ls"), &["/proc/self/fd"])).1;
        assert_eq!(binary, "0\n1\n2\n3\n", "a binary has no such number: the fourth is ls(1)'s own folder");
        let seen = run(&this(Path::new("/bin/readlink"), &["/proc/self/fd/3"]));
        assert_eq!(seen, (Ending::Exited(1), String::new()), "and this shows it");
    }

    #[test]
    fn what_is_at_the_path_by_then_does_not_matter() {
        let scratch = Scratch::new();
        let script = scratch.program("script", "#!/bin/sh\necho judged\n");
        let found = this(&script, &[]);
        scratch.program("script", "#!/bin/sh\necho swapped\n");
        assert_eq!(run(&found).1, "judged\n");
        assert_eq!(run(&this(&script, &[])).1, "swapped\n");
        let gone = this(&script, &[]);
        std::fs::remove_file(&script).unwrap();
        assert_eq!(run(&gone).1, "swapped\n");
        let binary = scratch.program("binary", std::fs::read("/bin/echo").unwrap());
        let found = this(&binary, &["judged"]);
        scratch.program("binary", std::fs::read("/bin/false").unwrap());
        assert_eq!(run(&found), (Ending::Exited(0), "judged\n".to_owned()));
    }

    #[test]
    fn where_execveat_is_refused_it_is_the_same_file_still() {
        let name = "linux::processes::exactly::tests::where_execveat_is_refused_it_is_the_same_file_still";
        alone(name, || {
            let scratch = Scratch::new();
            let script = scratch.program("script", "#!/bin/sh\necho judged $1\n");
            let binary = scratch.program("binary", std::fs::read("/bin/echo").unwrap());
            let (judged, echo) = (this(&script, &["it"]), this(&binary, &["judged"]));
            scratch.program("script", "#!/bin/sh\necho swapped\n");
            scratch.program("binary", std::fs::read("/bin/false").unwrap());
            let manner = Manner { own_group: true, ..Manner::default() };
            let by_path = Spawn { manner, ..shell("echo by path") };
            refuse_all(&[libc::SYS_execveat]);
            let told = [judged, echo, by_path].map(|program| run(&program).1);
            assert_eq!(told, ["judged it\n", "judged\n", "by path\n"]);
        });
    }

    #[test]
    fn no_shell_is_asked_for_help() {
        let scratch = Scratch::new();
        let text = scratch.program("text", "echo never\n");
        assert_eq!(started(&this(&text, &[])).err(), Some(Errno::ENOEXEC));
        let lost = scratch.program("lost", "#!/no/such/interpreter\n");
        assert_eq!(started(&this(&lost, &[])).err(), Some(Errno::ENOENT));
        let usual = Spawn { manner: Manner::default(), ..this(&text, &[]) };
        assert_eq!(run(&usual).1, "never\n", "only what was not judged");
    }

    #[test]
    fn what_could_not_be_executed_is_known_at_once_and_leaves_nothing() {
        let group = || Manner { own_group: true, ..Manner::default() };
        for (path, errno) in
            [("/no/such/program", Errno::ENOENT), ("/etc", Errno::EACCES), ("/etc/passwd", Errno::EACCES)]
        {
            let program = Spawn { path: path.into(), manner: group(), ..shell("") };
            assert_eq!(started(&program).err(), Some(errno), "{path}");
        }
        let long = Spawn { arguments: vec![vec![b'x'; 200_000]], ..this(Path::new("/bin/echo"), &[]) };
        assert_eq!(started(&long).err(), Some(Errno::E2BIG));
    }

    #[test]
    fn signals_and_streams_are_as_usual() {
        let manner = || Manner { own_group: true, ..Manner::default() };
        let script = "grep -E '^Sig(Blk|Ign)' /proc/self/status | grep -c '0000000000000000$'";
        assert_eq!(told(script, manner()), "2\n");
        assert_eq!(told("readlink /proc/self/fd/0; echo err >&2", manner()), "/dev/null\n");
        let merged = Spawn { stderr: Output::Merge, manner: manner(), ..shell("echo out; echo err >&2") };
        assert_eq!(run(&merged).1, "out\nerr\n");
        let spawned = started(&Spawn { input: true, manner: manner(), ..shell("read line; echo got $line") }).unwrap();
        nix::unistd::write(spawned.stdin.unwrap(), b"this\n").unwrap();
        assert_eq!(text(spawned.stdout.unwrap()), "got this\n");
        assert_eq!(ending(spawned.pid), Ending::Exited(0));
    }

    #[test]
    fn a_group_is_killed_with_all_that_is_in_it() {
        let manner = || Manner { own_group: true, ..Manner::default() };
        let spawned = started(&Spawn { manner: manner(), ..shell("sleep 1000 & sleep 1000 & sleep 1000") }).unwrap();
        Linux.kill_group(spawned.pid).unwrap();
        assert_eq!(text(spawned.stdout.unwrap()), "", "nobody holds it any more");
        assert_eq!(ending(spawned.pid), Ending::Killed(9));
        // Its leader has ended, and is not waited for: the group is still this one.
        let spawned = started(&Spawn { manner: manner(), ..shell("sleep 1000 &") }).unwrap();
        while Linux.has_ended(spawned.pid) == Ok(false) {
            std::thread::sleep(Duration::from_millis(1));
        }
        Linux.kill_group(spawned.pid).unwrap();
        assert_eq!(text(spawned.stdout.unwrap()), "");
        assert_eq!(Linux.reap(spawned.pid), Ok(Some(Ending::Exited(0))));
        assert_eq!(Linux.kill_group(1), Err(Errno::ESRCH), "never everybody");
    }

    #[test]
    fn a_user_has_no_way_back() {
        if !geteuid().is_root() {
            return println!("skipped: needs root");
        }
        let nobody = || Manner { user: Some("nobody".to_owned()), ..Manner::default() };
        let expected = told("id nobody", Manner::default());
        assert_eq!(told("id", nobody()), expected, "its own groups and no others");
        let uid = Uid::from_raw(65_534);
        let ids = told("grep -E '^(Uid|Gid|Groups|Cap(Inh|Prm|Eff|Amb))' /proc/self/status; pwd", nobody());
        let gid = nix::unistd::User::from_uid(uid).unwrap().unwrap().gid;
        let four = |id: u32| format!("\t{id}").repeat(4);
        assert!(ids.starts_with(&format!("Uid:{}\nGid:{}\nGroups:\t{gid}", four(65_534), four(gid.as_raw()))), "{ids}");
        assert_eq!(ids.matches(":\t0000000000000000\n").count(), 4, "no capabilities: {ids}");
        assert!(ids.ends_with("\n/\n"), "in the root folder: {ids}");
        assert_eq!(told("cat /etc/shadow; kill -0 $PPID && echo mine", nobody()), "");
        assert_eq!(told("id -un", Manner { user: Some("root".to_owned()), ..Manner::default() }), "root\n");
        assert!(geteuid().is_root(), "the agent is what it was");
    }

    #[test]
    fn a_user_runs_the_same_file_with_a_users_environment() {
        if !geteuid().is_root() {
            return println!("skipped: needs root");
        }
        let scratch = Scratch::new();
        let script = scratch.program("script", "#!/bin/sh\nid -un; echo $HOME $USER $LOGNAME $SHELL\n");
        let printed = run(&as_user("nobody", this(&script, &[]))).1;
        assert_eq!(printed, "nobody\n/nonexistent nobody nobody /usr/sbin/nologin\n");
        let own = Spawn { environment: Some(vec![b"HOME=/tmp".to_vec()]), ..as_user("nobody", this(&script, &[])) };
        assert!(run(&own).1.contains("\n/tmp nobody "));
        let unknown = as_user("no-such-user", this(&script, &[]));
        assert_eq!(started(&unknown).err(), Some(Errno::EPERM), "and nobody else in its place");
        std::fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
        assert_eq!(started(&as_user("nobody", this(&script, &[]))).err(), Some(Errno::EACCES), "root's alone");
    }
}
