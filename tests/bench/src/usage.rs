//! What the kernel says about a process: processor time, faults, context switches, memory.

use anyhow::{Context, Result};
use nix::time::{ClockId, clock_gettime};
use nix::unistd::Pid;
use std::fs;
use std::ops::Sub;
use std::time::Duration;

/// Counters that only grow; subtract two of them to know what a phase cost the agent.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Usage {
    /// Nanoseconds on a processor, of all threads, also of those that have ended.
    pub(crate) cpu_ns: u64,
    /// Page faults served without I/O.
    pub(crate) faults: u64,
    /// Context switches, voluntary or not, of the threads that are there.
    pub(crate) switches: u64,
}

impl Usage {
    pub(crate) fn of(pid: u32) -> Result<Self> {
        let faults = minor_faults(&read(&format!("/proc/{pid}/stat"))?)?;
        let clock = ClockId::pid_cpu_clock_id(Pid::from_raw(pid.cast_signed()))?;
        let cpu_ns = u64::try_from(Duration::from(clock_gettime(clock)?).as_nanos())?;
        let mut switches = 0;
        for task in fs::read_dir(format!("/proc/{pid}/task"))? {
            // A thread may end while the others are looked at.
            let Ok(status) = fs::read_to_string(task?.path().join("status")) else { continue };
            switches += field(&status, "voluntary_ctxt_switches")? + field(&status, "nonvoluntary_ctxt_switches")?;
        }
        Ok(Usage { cpu_ns, faults, switches })
    }
}

impl Sub for Usage {
    type Output = Usage;

    fn sub(self, before: Usage) -> Usage {
        Usage {
            cpu_ns: self.cpu_ns.saturating_sub(before.cpu_ns),
            faults: self.faults.saturating_sub(before.faults),
            switches: self.switches.saturating_sub(before.switches),
        }
    }
}

/// Sizes in KiB.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    /// Resident, shared libraries' pages included.
    pub(crate) resident: u64,
    /// Resident, written to, and this process's alone: heap, stacks, and pages of files that were changed in memory. What no file
    /// has, and the system cannot have back without swapping.
    pub(crate) private: u64,
    /// The largest `resident` so far.
    pub(crate) peak: u64,
}

impl Memory {
    pub(crate) fn of(pid: u32) -> Result<Self> {
        let status = read(&format!("/proc/{pid}/status"))?;
        let maps = read(&format!("/proc/{pid}/smaps_rollup"))?;
        Ok(Memory {
            resident: field(&status, "VmRSS")?,
            private: field(&maps, "Private_Dirty")?,
            peak: field(&status, "VmHWM")?,
        })
    }
}

fn read(path: &str) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {path}"))
}

/// The number behind `NAME:` at the beginning of a line.
fn field(text: &str, name: &str) -> Result<u64> {
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let number =
        value.and_then(|value| value.split_whitespace().next()).with_context(|| format!("{name} is missing"))?;
    Ok(number.parse()?)
}

/// Field 10 of /proc/PID/stat. The name in field 2 may hold anything, so counting begins behind its bracket.
fn minor_faults(stat: &str) -> Result<u64> {
    let (_, rest) = stat.rsplit_once(')').context("no program name in /proc/PID/stat")?;
    Ok(rest.split_whitespace().nth(7).context("/proc/PID/stat is short")?.parse()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets_and_spaces_does_not_shift_the_fields() {
        assert_eq!(minor_faults("7 (a) b) S 1 2 3 4 5 6 1234 8 9").expect("a number"), 1234);
    }

    #[test]
    fn a_field_is_found_by_its_whole_name() {
        let status = "VmHWM:\t    100 kB\nnonvoluntary_ctxt_switches:\t7\nvoluntary_ctxt_switches:\t5\n";
        assert_eq!(field(status, "voluntary_ctxt_switches").expect("a number"), 5);
        assert_eq!(field(status, "VmHWM").expect("a number"), 100);
        assert!(field(status, "Vm").is_err());
    }

    #[test]
    fn touching_pages_is_counted() {
        let before = Usage::of(std::process::id()).expect("our own figures");
        let pages = vec![1_u8; 8 << 20];
        let used = Usage::of(std::process::id()).expect("our own figures") - before;
        assert!(used.cpu_ns > 0 && used.faults > 0, "{used:?} after {} bytes", pages.len());
    }
}
