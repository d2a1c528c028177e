//! A process as `/proc` shows it (proc(5)).

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs;
use std::time::{Duration, Instant};

/// A process that is running, or was when it was found.
#[derive(Clone, Copy, Debug)]
pub struct Process(u32);

/// Memory of a process, in KiB.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    /// Private and written to: what an allocator holds (`RssAnon`).
    pub anonymous: u64,
    /// The most that was ever resident, the program's own pages included (`VmHWM`).
    pub peak: u64,
}

impl Process {
    /// By its id.
    pub fn new(pid: u32) -> Self {
        Process(pid)
    }

    /// Those that have `argument` somewhere in their command lines. A daemon is nobody's child, so this is how one is
    /// found that has no pid file; a test's scratch folder is a word that no other process has.
    pub fn all_with_argument(argument: &str) -> Vec<Self> {
        let entries = fs::read_dir("/proc").expect("/proc is there").flatten();
        let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        let named = |pid: &u32| {
            fs::read(format!("/proc/{pid}/cmdline"))
                .is_ok_and(|line| String::from_utf8_lossy(&line).contains(argument) && *pid != std::process::id())
        };
        pids.filter(named).map(Process).filter(|process| !process.is_gone()).collect()
    }

    /// Its id.
    pub fn pid(self) -> u32 {
        self.0
    }

    /// Sends a signal.
    pub fn signal(self, signal: Signal) {
        kill(Pid::from_raw(self.0.cast_signed()), signal).expect("the process is there and ours");
    }

    /// Kills it, if it is still there.
    pub fn kill(self) {
        let _ = kill(Pid::from_raw(self.0.cast_signed()), Signal::SIGKILL);
    }

    /// Whether it has ended, waited for or not. Its first thread alone may be a zombie already while the others still hold
    /// the process's files open, its socket among them.
    pub fn is_gone(self) -> bool {
        match fs::read_to_string(format!("/proc/{}/stat", self.0)) {
            Ok(stat) => behind_name(&stat).starts_with(['Z', 'X']) && self.threads() <= 1,
            Err(_) => true,
        }
    }

    fn threads(self) -> usize {
        fs::read_dir(format!("/proc/{}/task", self.0)).map_or(0, Iterator::count)
    }

    /// Processor time used so far by all its threads, in ticks of 10 ms.
    pub fn processor_ticks(self) -> u64 {
        let stat = self.read("stat");
        let mut fields = behind_name(&stat).split(' ').skip(11);
        let mut ticks = || fields.next().and_then(|field| field.parse::<u64>().ok()).expect("stat has utime and stime");
        ticks() + ticks()
    }

    /// Ticks used while `span` passes, which begins when the process has come to rest: when half a second has passed
    /// without a tick. One that does not come to rest within ten seconds is measured as it is.
    pub fn ticks_at_rest(self, span: Duration) -> u64 {
        let patience = Instant::now() + Duration::from_secs(10);
        let mut before = self.processor_ticks();
        loop {
            std::thread::sleep(Duration::from_millis(500));
            let now = self.processor_ticks();
            if now == before || Instant::now() > patience {
                break;
            }
            before = now;
        }
        let begin = self.processor_ticks();
        std::thread::sleep(span);
        self.processor_ticks() - begin
    }

    /// How often its threads have gone to sleep of their own will so far: after each of these something woke them.
    pub fn wake_ups(self) -> u64 {
        let threads = fs::read_dir(format!("/proc/{}/task", self.0)).expect("the process is running").flatten();
        let status = threads.filter_map(|thread| fs::read_to_string(thread.path().join("status")).ok());
        status.map(|status| field(&status, "voluntary_ctxt_switches")).sum()
    }

    /// Its memory.
    pub fn memory(self) -> Memory {
        let status = self.read("status");
        Memory { anonymous: field(&status, "RssAnon"), peak: field(&status, "VmHWM") }
    }

    /// How many descriptors it has open.
    pub fn descriptors(self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.0)).expect("the process is running and ours").count()
    }

    fn read(self, name: &str) -> String {
        fs::read_to_string(format!("/proc/{}/{name}", self.0)).expect("the process is running")
    }
}

/// The fields of `/proc/PID/stat` from the third one on: the second, the name in brackets, may hold anything.
fn behind_name(stat: &str) -> &str {
    stat.rsplit_once(") ").map_or("", |(_, fields)| fields)
}

/// The number in a line `name: number kB` of `/proc/PID/status`.
fn field(status: &str, name: &str) -> u64 {
    let value = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let number = value.and_then(|value| value.split_whitespace().next()?.parse().ok());
    number.unwrap_or_else(|| panic!("no {name} in the status of the process"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::process::{Command, Stdio};

    #[test]
    fn fields_are_found() {
        let status = "Name:\tvoluntary_ctxt_switches: 9\nRssAnon:\t     300 kB\nvoluntary_ctxt_switches:\t12\n";
        assert_eq!((field(status, "RssAnon"), field(status, "voluntary_ctxt_switches")), (300, 12));
        assert_eq!(behind_name("7 (a) b) S 1 7"), "S 1 7");
    }

    #[test]
    fn what_a_process_does_is_seen() {
        let work = "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; sleep 0.01; echo done; read _";
        let mut shell = Command::new("sh");
        let mut shell = shell.args(["-c", work]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let process = Process::new(shell.id());
        shell.stdout.take().unwrap().read_exact(&mut [0; 5]).unwrap();
        assert!(process.processor_ticks() > 0, "so many rounds are some ticks");
        assert!(process.wake_ups() > 0, "it has slept");
        assert!(process.memory().peak >= process.memory().anonymous && process.descriptors() >= 3);
        assert!(!process.is_gone());
        process.signal(Signal::SIGTERM);
        let end = Instant::now() + Duration::from_secs(10);
        while !process.is_gone() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(2));
        }
        assert!(process.is_gone(), "though nobody has waited for it");
        shell.wait().unwrap();
    }
}
