//! Programs started, polled until they have ended as hasty clients do, and their output fetched.

use crate::costs;
use crate::figures::{Better, Measured, median};
use crate::process::Agent;
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::time::Instant;

/// Programs before the first one that counts.
const WARM_UP: usize = 5;

/// What a program prints whose output is captured: 8 MB, the same as in the reference's figures.
const OUTPUT: usize = 8_000_000;

/// `/bin/true`, from the request to the reply that says it has ended.
pub(super) fn run_true(agent: &mut Agent, count: usize) -> Result<Vec<Measured>> {
    let request = line(&json!({"execute": "guest-exec", "arguments": {"path": "/bin/true"}}));
    for _ in 0..WARM_UP {
        until_ended(agent, &request)?;
    }
    let before = agent.usage()?;
    let mut times = Vec::with_capacity(count);
    for _ in 0..count {
        let start = Instant::now();
        until_ended(agent, &request)?;
        times.push(start.elapsed().as_secs_f64() * 1e6);
    }
    let mut all = vec![Measured::new("exec /bin/true", "µs", Better::Lower, median(&times))];
    all.extend(costs::per_request("exec /bin/true", agent.usage()? - before, count));
    Ok(all)
}

/// A program that prints a lot, its output and all.
pub(super) fn capture(agent: &mut Agent, count: usize) -> Result<Vec<Measured>> {
    let arguments = json!({"path": "head", "arg": ["-c", OUTPUT.to_string(), "/dev/zero"], "capture-output": true});
    let request = line(&json!({"execute": "guest-exec", "arguments": arguments}));
    let mut times = Vec::with_capacity(count);
    for _ in 0..=count {
        let start = Instant::now();
        let status = until_ended(agent, &request)?;
        times.push(start.elapsed().as_secs_f64() * 1e3);
        let text = status["out-data"].as_str().context("there is output")?;
        ensure!(text.len() == OUTPUT.div_ceil(3) * 4, "{} characters of base64", text.len());
    }
    // The first was the warm-up.
    Ok(vec![Measured::new("exec, 8 MB of output", "ms", Better::Lower, median(&times[1..]))])
}

/// The last status of a program. The pid has to be read from the first reply, so these phases have some of the client's
/// JSON in them, the same for both agents.
fn until_ended(agent: &mut Agent, request: &[u8]) -> Result<Value> {
    let started = agent.connection.call(request)?;
    let status = line(&json!({"execute": "guest-exec-status", "arguments": {"pid": started["pid"]}}));
    loop {
        let reply = agent.connection.call(&status)?;
        if reply["exited"] == true {
            ensure!(reply["exitcode"] == 0, "the program failed: {reply}");
            return Ok(reply);
        }
    }
}

fn line(request: &Value) -> Vec<u8> {
    format!("{request}\n").into_bytes()
}
