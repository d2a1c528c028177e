//! The table for people and the JSON file for machines.

use crate::figures::{Figures, median, spread};
use crate::options::Options;
use crate::process::Binary;
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

pub(crate) fn print_table([oracle, agent]: &[Binary; 2], options: &Options, figures: &Figures) {
    println!("qemu-ga:  {} ({}, {} kB)", oracle.version, oracle.path.display(), oracle.bytes / 1000);
    println!("bulkhead: {} ({}, {} kB)", agent.version, agent.path.display(), agent.bytes / 1000);
    println!("Medians of {} runs, ± largest minus smallest; ratio = bulkhead / qemu-ga.\n", options.runs);
    println!(
        "{:<28} {:>8} {:>12} {:>5} {:>12} {:>5} {:>7}  better",
        "phase", "unit", "qemu-ga", "±", "bulkhead", "±", "ratio"
    );
    for figure in figures.iter().filter(|figure| figure.in_table) {
        println!(
            "{:<28} {:>8} {:>12} {:>5} {:>12} {:>5} {:>7}  {}",
            figure.name,
            figure.unit,
            number(median(&figure.oracle)),
            percent(spread(&figure.oracle)),
            number(median(&figure.agent)),
            percent(spread(&figure.agent)),
            ratio(figure.ratio()),
            figure.better.word()
        );
    }
}

pub(crate) fn write_json([oracle, agent]: &[Binary; 2], options: &Options, figures: &Figures) -> Result<()> {
    let binary = |binary: &Binary| json!({"path": binary.path, "version": binary.version, "bytes": binary.bytes});
    let document = json!({
        "unix_time": SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs(),
        "kernel": first_word("/proc/sys/kernel/osrelease"),
        "cpus": std::thread::available_parallelism()?.get(),
        "load_1m": first_word("/proc/loadavg"),
        "options": {"runs": options.runs, "quick": options.quick, "pin": options.pin},
        "qemu-ga": binary(oracle),
        "bulkhead": binary(agent),
        "figures": figures.iter().map(|figure| figure.json()).collect::<Vec<_>>(),
    });
    let path = options.json();
    std::fs::write(&path, format!("{document:#}\n")).with_context(|| format!("cannot write {}", path.display()))
}

/// What the kernel says in a file, or null.
fn first_word(path: &str) -> Value {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.split_whitespace().next().map_or(Value::Null, Value::from)
}

/// Three or four digits that mean something, whatever the size.
fn number(value: f64) -> String {
    match value {
        value if value >= 1000.0 => format!("{value:.0}"),
        value if value >= 10.0 => format!("{value:.1}"),
        value => format!("{value:.2}"),
    }
}

fn percent(part: f64) -> String {
    format!("{:.0}%", part * 100.0)
}

/// A value of 0 has no ratio to anything.
fn ratio(value: f64) -> String {
    if value.is_finite() { format!("{value:.2}") } else { "-".to_owned() }
}
