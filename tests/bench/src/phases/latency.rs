//! Small requests, one after the other or pipelined.

use super::TestFile;
use crate::costs;
use crate::figures::{Better, Measured, median, percentile_99};
use crate::process::Agent;
use crate::usage::Usage;
use anyhow::{Context, Result};
use serde_json::json;
use std::time::Instant;

pub(crate) const PING: &[u8] = b"{\"execute\":\"guest-ping\"}\n";

/// Commands without arguments that clients poll, in the table by these names.
pub(super) const POLLED: [&str; 4] =
    ["guest-info", "guest-get-osinfo", "guest-network-get-interfaces", "guest-get-fsinfo"];

/// Requests before the first one that counts.
const WARM_UP: usize = 50;

pub(super) fn ping(agent: &mut Agent, count: usize) -> Result<Vec<Measured>> {
    let (times, used) = round_trips(agent, PING, count)?;
    let mut all = vec![
        Measured::new("ping", "µs", Better::Lower, median(&times)),
        Measured::new("ping, 99th percentile", "µs", Better::Lower, percentile_99(&times)),
    ];
    all.extend(costs::per_request("ping", used, count));
    Ok(all)
}

/// One of [`POLLED`].
pub(super) fn polled(agent: &mut Agent, command: &str, count: usize) -> Result<Vec<Measured>> {
    let request = format!("{{\"execute\":\"{command}\"}}\n");
    let (times, used) = round_trips(agent, request.as_bytes(), count)?;
    let mut all = vec![
        Measured::new(command, "µs", Better::Lower, median(&times)),
        Measured::new(format!("{command}, 99th percentile"), "µs", Better::Lower, percentile_99(&times)).detail(),
    ];
    all.extend(costs::per_request(command, used, count));
    Ok(all)
}

pub(super) fn pipelined_pings(agent: &mut Agent, count: usize) -> Result<Vec<Measured>> {
    agent.connection.pipeline(PING, WARM_UP)?;
    let (before, start) = (agent.usage()?, Instant::now());
    agent.connection.pipeline(PING, count)?;
    let seconds = start.elapsed().as_secs_f64();
    let mut all = vec![Measured::new("pipelined pings", "1/s", Better::Higher, count as f64 / seconds)];
    all.extend(costs::per_request("pipelined ping", agent.usage()? - before, count));
    Ok(all)
}

/// A file opened and closed again: two requests, measured as one. The handle has to be read from the first reply, so
/// this phase alone has some of the client's JSON in it, the same for both agents.
pub(super) fn open_and_close(agent: &mut Agent, file: &TestFile, count: usize) -> Result<Vec<Measured>> {
    let open = format!("{}\n", json!({"execute": "guest-file-open", "arguments": {"path": file.path}})).into_bytes();
    let mut pair = || -> Result<()> {
        let handle = agent.connection.call(&open)?.as_i64().context("a handle is an integer")?;
        let close = format!("{{\"execute\":\"guest-file-close\",\"arguments\":{{\"handle\":{handle}}}}}\n");
        agent.connection.exchange(close.as_bytes())
    };
    for _ in 0..WARM_UP {
        pair()?;
    }
    let mut times = Vec::with_capacity(count);
    for _ in 0..count {
        let start = Instant::now();
        pair()?;
        times.push(start.elapsed().as_secs_f64() * 1e6);
    }
    Ok(vec![Measured::new("file open and close", "µs", Better::Lower, median(&times))])
}

/// The round trips' times in microseconds, and what they cost the agent altogether.
fn round_trips(agent: &mut Agent, request: &[u8], count: usize) -> Result<(Vec<f64>, Usage)> {
    for _ in 0..WARM_UP {
        agent.connection.exchange(request)?;
    }
    let mut times = Vec::with_capacity(count);
    let before = agent.usage()?;
    for _ in 0..count {
        let start = Instant::now();
        agent.connection.exchange(request)?;
        times.push(start.elapsed().as_secs_f64() * 1e6);
    }
    Ok((times, agent.usage()? - before))
}
