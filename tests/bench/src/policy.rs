//! What a policy costs: the same requests under `full`, where nothing has to be found out, and under policies that have to look.
//!
//! The time of judging is the agent's own, as its audit tells it, in whole microseconds: what is shown is the median and
//! the next whole one, so that it is never too little. Beside it stands the round trip without an audit, for judging is not
//! all: under a policy with trees a file has to be found before it can be judged.

use crate::figures::median;
use crate::process::{Agent, Binary, Workspace};
use anyhow::{Context, Result};
use bulkhead_test_support::policies::{many, narrow};
use serde_json::{Value, json};
use std::ffi::OsStr;
use std::path::PathBuf;
use std::time::Instant;

const FULL: &str = "version = 1\nprofile = \"full\"\n";

/// Request, and what it is called in the table.
const REQUESTS: &[(&str, &str)] = &[
    ("ping", "{\"execute\":\"guest-ping\"}\n"),
    ("guest-info", "{\"execute\":\"guest-info\"}\n"),
    ("network interfaces", "{\"execute\":\"guest-network-get-interfaces\"}\n"),
    ("open a file", "{\"execute\":\"guest-file-open\",\"arguments\":{\"path\":\"/etc/hostname\"}}\n"),
    ("start /bin/true", "{\"execute\":\"guest-exec\",\"arguments\":{\"path\":\"/bin/true\"}}\n"),
];

/// How many handles or processes one agent holds at once, below its own limits.
const BATCH: usize = 500;

/// Measures and prints; the result is for the JSON file.
pub(crate) fn print_table(binary: &Binary, workspace: &Workspace, plan: &crate::phases::Plan) -> Result<Value> {
    let mut table = Vec::new();
    println!("\nWhat a policy costs. Medians of {} requests, in µs; 'many rules' has 200 of them.\n", plan.judged);
    println!("{:<20} {:<12} {:>14} {:>12}", "request", "policy", "judging at most", "round trip");
    for (name, request) in REQUESTS {
        for (label, text) in [("full", FULL.to_owned()), ("narrow", narrow()), ("many rules", many())] {
            let judging = judging(binary, workspace, &text, request, plan.judged)?;
            let trip = round_trip(binary, workspace, &text, request, plan.judged)?;
            println!("{name:<20} {label:<12} {:>15.0} {trip:>12.1}", judging + 1.0);
            table.push(json!({"request": name, "policy": label, "judging µs": judging, "round trip µs": trip}));
        }
    }
    Ok(Value::Array(table))
}

fn judging(binary: &Binary, workspace: &Workspace, policy: &str, request: &str, count: usize) -> Result<f64> {
    let audit = workspace.join("audit.jsonl");
    let _ = std::fs::remove_file(&audit);
    let count = count.min(BATCH);
    let mut agent = start(
        binary,
        workspace,
        policy,
        &[OsStr::new("--audit-rate=0"), OsStr::new("--audit-file"), audit.as_os_str()],
    )?;
    (0..count).try_for_each(|_| agent.connection.exchange(request.as_bytes()))?;
    drop(agent);
    let text = std::fs::read_to_string(&audit).context("there is no audit")?;
    let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let times: Vec<f64> = lines.filter_map(|line| line.pointer("/us/policy")?.as_f64()).collect();
    anyhow::ensure!(times.len() >= count, "the audit has only {} of {count} requests", times.len());
    Ok(median(&times))
}

fn round_trip(binary: &Binary, workspace: &Workspace, policy: &str, request: &str, count: usize) -> Result<f64> {
    let mut times = Vec::new();
    while times.len() < count {
        let mut agent = start(binary, workspace, policy, &[])?;
        for _ in 0..BATCH.min(count - times.len()) {
            let start = Instant::now();
            agent.connection.exchange(request.as_bytes())?;
            times.push(start.elapsed().as_secs_f64() * 1e6);
        }
    }
    Ok(median(&times))
}

fn start(binary: &Binary, workspace: &Workspace, policy: &str, options: &[&OsStr]) -> Result<Agent> {
    let path: PathBuf = workspace.join("policy.toml");
    std::fs::write(&path, policy)?;
    let mut all = vec![OsStr::new("--policy"), path.as_os_str()];
    all.extend(options);
    Agent::start_with(binary, workspace, &all)
}
