//! The compiler, a program of its own: it has no privileges, and is given bytes and gives bytes.

use super::imports;
use anyhow::{Context, anyhow, bail};
use bulkhead_host::modules::Form;
use bulkhead_store::Manifest;
use serde_json::Value;
use std::io::{self, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

/// Where packages put programs that people do not start.
const LIBEXEC: &str = "/usr/libexec/bulkhead/bulkhead-compile";

/// How long looking at a component may take, and compiling it, by the clock. It bounds a compiler that hangs; of processor time
/// it gives itself 10 and 60 seconds (`host/compile/src/confinement.rs`), and this is more for a machine that is busy.
const TIME: Duration = Duration::from_secs(180);

/// Machine code or a description, in bytes. It bounds what this process, which is root, holds in memory for one that is not
/// trusted: the built-in modules' code is three times as long as their components, of which the longest that is installed would
/// have 24 MiB so. A file of nothing but calls, of which code is six times as long, is refused.
const OUTPUT: u64 = 32 << 20;

/// What the compiler says of an error, in bytes. It bounds what reaches a terminal; one sentence is
/// meant, and the longest that quote names have some hundred.
const COMPLAINT: u64 = 4096;

/// The program `bulkhead-compile`.
#[derive(Debug)]
pub(crate) struct Compiler {
    path: PathBuf,
    /// How long one call may take.
    time: Duration,
}

/// What a component is, found in its type and its sections. Nothing of it was run.
#[derive(Debug)]
pub(crate) struct Description {
    /// What it says of itself.
    pub(crate) manifest: Manifest,
    /// The capabilities that it imports, such as `files`, in the order of their names.
    pub(crate) imports: Vec<String>,
}

impl Compiler {
    /// The one named, or else the one beside this program, or in /usr/libexec/bulkhead.
    ///
    /// What it makes is run by the agent. So nobody but root, or the user that runs this program, may be able to change it.
    pub(crate) fn find(given: Option<&Path>) -> anyhow::Result<Self> {
        let path = match given {
            Some(path) => path.to_owned(),
            None => installed().context(
                "there is no bulkhead-compile beside this program, and none in /usr/libexec/bulkhead: install it, or name it \
                 with --compiler",
            )?,
        };
        bulkhead_trust::check_file(&path).context("the compiler cannot be used")?;
        Ok(Compiler { path, time: TIME })
    }

    /// Looks at a component, without compiling it. An error says what is wrong with the component.
    pub(crate) fn describe(&self, component: &[u8]) -> anyhow::Result<Description> {
        let text = self.run(&["--describe"], component)?;
        let value: Value = serde_json::from_slice(&text).context("the compiler's description cannot be read")?;
        let names = |key: &str| -> anyhow::Result<Vec<String>> {
            let list = value.get(key).and_then(Value::as_array).context("the compiler's description lacks a list")?;
            Ok(list.iter().filter_map(Value::as_str).map(str::to_owned).collect())
        };
        let text =
            value.get("manifest").and_then(Value::as_str).context("the compiler's description lacks a manifest")?;
        let imports = imports::check(&names("imports")?, &names("exports")?)?;
        Ok(Description { manifest: Manifest::parse(text.as_bytes())?, imports })
    }

    /// Machine code of a component.
    pub(crate) fn compile(&self, component: &[u8], form: Form) -> anyhow::Result<Vec<u8>> {
        self.run(&["--form", form.name()], component)
    }

    /// What the program writes to stdout when it is given `input`. It inherits nothing: no variable, no folder, no descriptor.
    fn run(&self, options: &[&str], input: &[u8]) -> anyhow::Result<Vec<u8>> {
        let mut command = Command::new(&self.path);
        command.arg("--confined").args(options).env_clear().current_dir("/");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().with_context(|| format!("cannot start {}", self.path.display()))?;
        let ended = converse(&mut child, input, self.time);
        // Whatever was the matter, nothing of it is left behind.
        let _ = child.kill();
        let status = child.wait().context("cannot wait for the compiler")?;
        let (output, complaint) = ended?;
        if status.success() {
            return Ok(output);
        }
        bail!("{}", why(status, &complaint))
    }
}

/// The program, where no other is named.
fn installed() -> Option<PathBuf> {
    let beside = std::env::current_exe().ok().map(|this| this.with_file_name("bulkhead-compile"));
    beside.into_iter().chain([LIBEXEC.into()]).find(|path| path.exists())
}

/// Gives the child its input and takes what it says: output and complaint. Each pipe has a thread, so that none
/// waits for another.
fn converse(child: &mut Child, input: &[u8], time: Duration) -> anyhow::Result<(Vec<u8>, Vec<u8>)> {
    let (Some(mut stdin), Some(stdout), Some(stderr)) = (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        bail!("the compiler has no pipes");
    };
    let end = Instant::now() + time;
    let input = input.to_owned();
    // One that ends early has its reasons, and tells them on stderr.
    thread::spawn(move || drop(stdin.write_all(&input)));
    let (output, complaint) = (reader(stdout, OUTPUT), reader(stderr, COMPLAINT));
    let too_slow = || anyhow!("compiling it takes longer than {} seconds", time.as_secs());
    let (output, complaint) = (receive(&output, end, too_slow)?, receive(&complaint, end, too_slow)?);
    if output.len() as u64 > OUTPUT {
        bail!("its machine code is longer than {} MiB", OUTPUT >> 20);
    }
    while child.try_wait().context("cannot wait for the compiler")?.is_none() {
        if Instant::now() > end {
            return Err(too_slow());
        }
        // It has closed its ends, so it is about to go.
        thread::sleep(Duration::from_millis(1));
    }
    Ok((output, complaint))
}

/// Reads until the end, or one byte more than `most`.
fn reader(pipe: impl Read + Send + 'static, most: u64) -> Receiver<io::Result<Vec<u8>>> {
    let (send, receive) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let read = pipe.take(most + 1).read_to_end(&mut bytes).map(|_| bytes);
        // Nobody listens any more if it took too long.
        let _ = send.send(read);
    });
    receive
}

fn receive(
    from: &Receiver<io::Result<Vec<u8>>>,
    end: Instant,
    too_slow: impl Fn() -> anyhow::Error,
) -> anyhow::Result<Vec<u8>> {
    match from.recv_timeout(end.saturating_duration_since(Instant::now())) {
        Ok(read) => read.context("cannot read what the compiler says"),
        Err(RecvTimeoutError::Timeout) => Err(too_slow()),
        Err(RecvTimeoutError::Disconnected) => Err(anyhow!("cannot read what the compiler says")),
    }
}

/// Why the compiler has failed, in its own words if it has some.
fn why(status: ExitStatus, complaint: &[u8]) -> String {
    let words = String::from_utf8_lossy(complaint);
    let words: String = words.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    match status.signal() {
        Some(nix::libc::SIGXCPU | nix::libc::SIGKILL) => {
            "compiling it takes more processor time than it may".to_owned()
        }
        Some(nix::libc::SIGABRT) if words.contains("memory allocation") => {
            "compiling it takes more memory than it may".to_owned()
        }
        Some(nix::libc::SIGABRT) if words.contains("overflowed its stack") => {
            "it is nested too deeply to be read or compiled".to_owned()
        }
        Some(signal) => format!("the compiler was ended by signal {signal}: {words}"),
        None if words.is_empty() => format!("the compiler has failed ({status})"),
        None => words,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    /// A compiler of one line of shell.
    fn pretended(name: &str, script: &str) -> (PathBuf, Compiler) {
        let folder = std::env::temp_dir().join(format!("bulkhead-compiler-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir(&folder).unwrap();
        let path = folder.join("bulkhead-compile");
        bulkhead_test_support::script(&path, script);
        (folder, Compiler { path, time: TIME })
    }

    fn said(name: &str, script: &str) -> String {
        let (folder, compiler) = pretended(name, script);
        let said = compiler.compile(&[0; 1 << 20], Form::Baseline).unwrap_err().to_string();
        fs::remove_dir_all(folder).unwrap();
        said
    }

    #[test]
    fn it_gets_the_component_and_gives_what_it_makes_of_it() {
        let (folder, compiler) = pretended("cat", "cat");
        assert_eq!(compiler.compile(&[7; 1 << 20], Form::Baseline).unwrap(), [7; 1 << 20]);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn it_inherits_no_variables() {
        let (folder, compiler) = pretended("env", "set");
        let variables = String::from_utf8(compiler.compile(b"", Form::Baseline).unwrap()).unwrap();
        assert!(!variables.contains("HOME=") && !variables.contains("CARGO"), "{variables}");
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn its_complaint_is_one_line_that_moves_no_cursor() {
        assert_eq!(said("complaint", "printf 'it is \\033[2J\\nwrong\\n' >&2; exit 1"), "it is  [2J wrong");
        assert!(said("silent", "exit 3").contains("exit status: 3"));
        assert!(said("signal", "kill -SEGV $$").starts_with("the compiler was ended by signal 11"));
        assert!(said("slow", "kill -XCPU $$").contains("processor time"));
        let deep = "echo \"thread 'main' has overflowed its stack\" >&2; kill -ABRT $$";
        assert_eq!(said("stack", deep), "it is nested too deeply to be read or compiled");
        assert!(said("memory", "echo memory allocation of 9 bytes failed >&2; kill -ABRT $$").contains("more memory"));
    }

    #[test]
    fn what_it_says_without_end_is_not_kept() {
        assert_eq!(said("endless", "exec cat /dev/zero"), "its machine code is longer than 32 MiB");
    }

    #[test]
    fn one_that_does_not_end_is_ended() {
        for (name, script) in [("hangs", "exec sleep 600"), ("closed", "exec >&- 2>&-; exec sleep 600")] {
            let (folder, compiler) = pretended(name, &format!("echo $$ >\"${{0%/*}}/pid\"; {script}"));
            let begin = Instant::now();
            let said = Compiler { time: Duration::from_secs(1), ..compiler }.compile(b"x", Form::Baseline).unwrap_err();
            assert_eq!(said.to_string(), "compiling it takes longer than 1 seconds");
            assert!(begin.elapsed() < Duration::from_secs(60), "{name}: {:?}", begin.elapsed());
            let pid = fs::read_to_string(folder.join("pid")).unwrap();
            assert!(!Path::new("/proc").join(pid.trim()).exists(), "{name}: nothing of it is left behind");
            fs::remove_dir_all(folder).unwrap();
        }
    }

    #[test]
    fn one_that_others_can_change_is_not_run() {
        let (folder, compiler) = pretended("writable", "cat");
        assert!(Compiler::find(Some(&compiler.path)).is_ok());
        fs::set_permissions(&compiler.path, fs::Permissions::from_mode(0o777)).unwrap();
        assert!(Compiler::find(Some(&compiler.path)).is_err());
        assert!(Compiler::find(Some(&folder.join("none"))).is_err());
        fs::remove_dir_all(folder).unwrap();
    }
}
