//! The table for people and the JSON file for machines.

use crate::figures::{Figures, median, spread};
use crate::options::Options;
use crate::phases::Binaries;
use crate::process::Binary;
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

/// Why there is no limit to compare with.
const NO_LIMIT: &str = "the program was not built; `make bench` says why";

/// What is compared, and how to read the tables.
pub(crate) fn print_header(binaries: &Binaries, oracle_is: &str, options: &Options) {
    let line = |name: &str, binary: &Binary, note: &str| {
        println!("{name:<9} {} ({}, {} kB{note})", binary.version, binary.path.display(), binary.bytes / 1000);
    };
    line("qemu-ga:", &binaries.oracle, &format!("; {oracle_is}"));
    line("bulkhead:", &binaries.agent, "");
    match &binaries.limit {
        Some(limit) => line("limit:", limit, "; what no agent can avoid"),
        None => println!("limit:    no column: {NO_LIMIT}"),
    }
    println!("Medians of {} runs, ± largest minus smallest; ratio = bulkhead / qemu-ga.\n", options.runs);
}

pub(crate) fn print_table(figures: &Figures, with_limit: bool) {
    let limits = |value: &str, ratio: &str| if with_limit { format!("{value:>12} {ratio:>8}") } else { String::new() };
    println!(
        "{:<28} {:>8} {:>12} {:>5} {:>12} {:>5} {:>7}  {:<6}{}",
        "phase",
        "unit",
        "qemu-ga",
        "±",
        "bulkhead",
        "±",
        "ratio",
        "better",
        limits("limit", "to limit")
    );
    for figure in figures.iter().filter(|figure| figure.in_table) {
        println!(
            "{:<28} {:>8} {:>12} {:>5} {:>12} {:>5} {:>7}  {:<6}{}",
            figure.name,
            figure.unit,
            number(median(&figure.oracle)),
            percent(spread(&figure.oracle)),
            number(median(&figure.agent)),
            percent(spread(&figure.agent)),
            ratio(figure.ratio()),
            figure.better.word(),
            limits(&number(median(&figure.limit)), &ratio(figure.ratio_to_limit()))
        );
    }
}

/// Writes the figures, and `tables`, which are of our agent alone.
pub(crate) fn write_json(
    binaries: &Binaries,
    oracle_is: &str,
    options: &Options,
    figures: &Figures,
    tables: Value,
) -> Result<()> {
    let binary = |binary: &Binary| json!({"path": binary.path, "version": binary.version, "bytes": binary.bytes});
    let document = json!({
        "unix_time": SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs(),
        "kernel": first_word("/proc/sys/kernel/osrelease"),
        "cpus": std::thread::available_parallelism()?.get(),
        "load_1m": first_word("/proc/loadavg"),
        "options": {"runs": options.runs, "quick": options.quick, "pin": options.pin},
        "qemu-ga": binary(&binaries.oracle),
        "qemu-ga is": oracle_is,
        "bulkhead": binary(&binaries.agent),
        "limit": binaries.limit.as_ref().map(binary),
        "figures": figures.iter().map(|figure| figure.json()).collect::<Vec<_>>(),
        "tables": tables,
    });
    let path = options.json();
    std::fs::write(&path, format!("{document:#}\n")).with_context(|| format!("cannot write {}", path.display()))
}

/// What the kernel says in a file, or null.
fn first_word(path: &str) -> Value {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.split_whitespace().next().map_or(Value::Null, Value::from)
}

/// Three or four digits that mean something, whatever the size; a dash for what was not measured.
pub(crate) fn number(value: f64) -> String {
    match value {
        value if value.is_nan() => "-".to_owned(),
        value if value >= 1000.0 => format!("{value:.0}"),
        value if value >= 10.0 => format!("{value:.1}"),
        value => format!("{value:.2}"),
    }
}

fn percent(part: f64) -> String {
    format!("{:.0}%", part * 100.0)
}

/// Nothing has a ratio to a value of 0.
pub(crate) fn ratio(value: f64) -> String {
    match value {
        value if !value.is_finite() => "-".to_owned(),
        value if value >= 100.0 => format!("{value:.0}"),
        value if value >= 0.095 || value == 0.0 => format!("{value:.2}"),
        value => format!("{value:.4}"),
    }
}
