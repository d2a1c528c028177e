//! How much the agent was asked, and what became of its audit and its log.

use bulkhead_host::briefly::date;
use bulkhead_host::running::{InForce, Report, Told};
use serde_json::{Value, json};
use std::io::{self, Write};
use std::path::Path;

pub(super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let (Some(in_force), Some(told)) = (&report.in_force, &report.told) else { return Ok(()) };
    if told.number == 0 {
        writeln!(out, "requests: not told yet")?;
    } else {
        let counts = &told.counts;
        writeln!(
            out,
            "requests: {}, of which {} were refused, {} were denied something, {} failed in their module; {} messages were not \
             requests (as of {})",
            counts.requests.get(),
            counts.refused.get(),
            counts.denied.get(),
            counts.failed.get(),
            counts.rejected.get(),
            date(told.at)
        )?;
        let programs = told.programs;
        writeln!(
            out,
            "programs: {} are known, {} of their input and output held of {} at most",
            programs.known,
            bytes(programs.held),
            bytes(programs.most)
        )?;
    }
    write_audit(in_force, told, out)?;
    let limits = in_force.log_limits;
    let place = in_force.log_file.as_ref().map_or("standard error".to_owned(), |file| limited(file, limits.size));
    writeln!(
        out,
        "log: {place}; {}",
        rate(limits.rate.into(), &format!("{} lines a minute of one origin", limits.rate))
    )?;
    let log = told.log;
    writeln!(
        out,
        "  {} lines written, {} counted as repeated, {} left out because they came too fast, {} lost while frozen",
        log.written, log.repeated, log.left_out, log.lost
    )
}

fn write_audit(in_force: &InForce, told: &Told, out: &mut dyn Write) -> io::Result<()> {
    let limits = in_force.audit_limits;
    let file = in_force.audit_file.as_ref().map(|file| limited(file, limits.size));
    let journal = in_force.audit_journal.then(|| "the journal".to_owned());
    let places: Vec<String> = file.into_iter().chain(journal).collect();
    if places.is_empty() {
        return writeln!(out, "audit: none");
    }
    let limit = rate(limits.rate, &format!("{} a minute of each kind of line", bytes(limits.rate)));
    writeln!(out, "audit: {}; {limit}", places.join(" and "))?;
    let Some(audit) = told.audit else { return Ok(()) };
    writeln!(
        out,
        "  {} lines written, {} counted as repeated, {} left out because they came too fast, {} lost",
        audit.written, audit.repeated, audit.left_out, audit.lost
    )?;
    if audit.failing {
        writeln!(out, "  it CANNOT BE WRITTEN: the log says why")?;
    }
    Ok(())
}

pub(super) fn json(report: &Report) -> Value {
    let Some(told) = report.told.as_ref().filter(|told| told.number > 0) else { return Value::Null };
    let counts = &told.counts;
    let limits = report.in_force.as_ref().map(|it| (it.audit_limits, it.log_limits));
    json!({
        "at": told.at,
        "requests": counts.requests.get(),
        "refused": counts.refused.get(),
        "denied": counts.denied.get(),
        "failed": counts.failed.get(),
        "rejected": counts.rejected.get(),
        "audit": told.audit.map(|it| json!({
            "written": it.written,
            "repeated": it.repeated,
            "left-out": it.left_out,
            "lost": it.lost,
            "failing": it.failing,
            "size": limits.map(|(audit, _)| audit.size),
            "rate": limits.map(|(audit, _)| audit.rate),
        })),
        "programs": { "known": told.programs.known, "held": told.programs.held, "most": told.programs.most },
        "log": {
            "written": told.log.written,
            "repeated": told.log.repeated,
            "left-out": told.log.left_out,
            "lost": told.log.lost,
            "size": limits.map(|(_, log)| log.size),
            "rate": limits.map(|(_, log)| log.rate),
        },
    })
}

/// A file, and how long it may grow.
fn limited(file: &Path, size: u64) -> String {
    let limit = if size == 0 { "without a limit".to_owned() } else { format!("{} and as much in .old", bytes(size)) };
    format!("{} ({limit})", file.display())
}

fn rate(rate: u64, limit: &str) -> String {
    if rate == 0 { "as fast as lines come".to_owned() } else { limit.to_owned() }
}

/// A number of bytes in the largest unit that it is a multiple of.
fn bytes(count: u64) -> String {
    let units = [(30, "GiB"), (20, "MiB"), (10, "KiB")];
    let unit = units.into_iter().find(|(shift, _)| count > 0 && count.trailing_zeros() >= *shift);
    unit.map_or_else(|| format!("{count} bytes"), |(shift, name)| format!("{} {name}", count >> shift))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_have_the_unit_that_fits() {
        let said = [0, 1000, 1 << 10, 256 << 10, 64 << 20, (64 << 20) + 1, 3 << 30].map(bytes);
        let expected = ["0 bytes", "1000 bytes", "1 KiB", "256 KiB", "64 MiB", "67108865 bytes", "3 GiB"];
        assert_eq!(said, expected);
    }
}
