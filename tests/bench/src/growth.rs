//! How our agent's times grow with what it holds, and with what a request carries.
//!
//! Each row is an agent of its own, made what it is beforehand. All rows are measured in turn, round by round, so that a slow
//! minute of the machine hits all alike; shown are the medians, and the ratio to the first row of a group, round by round too.

mod burdens;
mod copies;
pub(crate) mod payload;

use crate::figures::{median, paired_ratio};
use crate::phases::{KIB, PING, Plan, TestFile, call, request, request_for_rewind};
use crate::process::{Agent, Binary, Workspace};
use crate::report::{number, ratio};
use anyhow::Result;
use serde_json::{Value, json};
use std::ffi::{OsStr, OsString};
use std::time::Instant;

/// Bytes of a read, and how many of them follow each other.
const READ: usize = 64 * KIB;
const READS: usize = 100;

/// Pings that follow each other.
const PINGS: usize = 1000;

/// Starts of an agent that follow each other.
const STARTS: usize = 3;

/// Measures and prints; the result is for the JSON file. Without a means to sign them there are no rows with installed modules.
pub(crate) fn print_table(
    binary: &Binary,
    workspace: &Workspace,
    file: &TestFile,
    plan: &Plan,
    signs: bool,
) -> Result<Value> {
    let (mut rows, _programs) = burdens::rows(binary, workspace, file, signs)?;
    for _ in 0..plan.rounds {
        rows.iter_mut().try_for_each(Row::measure)?;
    }
    // Behind all that, for agents that were killed are being cleared away for some milliseconds: requests that were measured then took
    // a quarter longer.
    for _ in 0..plan.rounds {
        rows.iter_mut().try_for_each(|row| row.measure_start(binary, workspace))?;
    }
    println!(
        "\nHow times grow with what the agent holds. Medians of {} rounds; × the first row of its kind.",
        plan.rounds
    );
    println!("More than 960 handles the agent does not open.\n");
    println!("{:<24} {:>9} {:>6} {:>13} {:>6} {:>9} {:>6}", "", "ping µs", "×", "read 64 KiB µs", "×", "start ms", "×");
    let mut table = Vec::new();
    for row in &rows {
        let first = rows.iter().find(|first| first.what == row.what).unwrap_or(row);
        let cells = [(&row.pings, &first.pings), (&row.reads, &first.reads), (&row.starts, &first.starts)];
        let [ping, read, start] =
            cells.map(|(these, those)| (number(median(these)), ratio(paired_ratio(these, those))));
        let name = format!("{} {}", row.count, row.what);
        println!("{name:<24} {:>9} {:>6} {:>13} {:>6} {:>9} {:>6}", ping.0, ping.1, read.0, read.1, start.0, start.1);
        table.push(json!({
            "what": row.what, "count": row.count,
            "ping µs": row.pings, "read 64 KiB µs": row.reads, "start ms": row.starts,
        }));
    }
    Ok(Value::Array(table))
}

/// An agent that holds `count` of something.
struct Row {
    what: &'static str,
    count: usize,
    agent: Agent,
    /// Its options, where another start of it with as much to hold makes sense.
    restart: Option<Vec<OsString>>,
    read: Vec<u8>,
    rewind: Vec<u8>,
    /// One median per round: µs, µs, ms.
    pings: Vec<f64>,
    reads: Vec<f64>,
    starts: Vec<f64>,
}

impl Row {
    fn new(what: &'static str, count: usize, mut agent: Agent, file: &TestFile) -> Result<Self> {
        let handle = call(&mut agent, "guest-file-open", json!({"path": file.path}))?;
        let read = request("guest-file-read", json!({"handle": handle, "count": READ}));
        let rewind = request_for_rewind(&handle);
        let [pings, reads, starts] = [Vec::new(), Vec::new(), Vec::new()];
        Ok(Row { what, count, agent, restart: None, read, rewind, pings, reads, starts })
    }

    /// One round of requests.
    fn measure(&mut self) -> Result<()> {
        self.agent.connection.exchange(&self.rewind)?;
        self.reads.push(median_of(&mut self.agent, &self.read, READS)?);
        self.pings.push(median_of(&mut self.agent, PING, PINGS)?);
        Ok(())
    }

    /// One round of starts.
    fn measure_start(&mut self, binary: &Binary, workspace: &Workspace) -> Result<()> {
        if let Some(options) = &self.restart {
            let options: Vec<&OsStr> = options.iter().map(OsString::as_os_str).collect();
            let starts =
                (0..STARTS).map(|_| Ok(crate::phases::start(binary, workspace, &options)?.as_secs_f64() * 1e3));
            self.starts.push(median(&starts.collect::<Result<Vec<_>>>()?));
        }
        Ok(())
    }
}

/// The median of `count` round trips, in µs.
fn median_of(agent: &mut Agent, request: &[u8], count: usize) -> Result<f64> {
    let mut times = Vec::with_capacity(count);
    for _ in 0..count {
        let start = Instant::now();
        agent.connection.exchange(request)?;
        times.push(start.elapsed().as_secs_f64() * 1e6);
    }
    Ok(median(&times))
}
