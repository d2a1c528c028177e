//! The phases of one run. In each, qemu-ga is measured first, the agent right after it, and in some
//! the limit after both.

mod exec;
mod latency;
mod plan;
mod rest;
mod transfer;

pub(crate) use latency::PING;
pub(crate) use plan::Plan;
pub(crate) use transfer::{TestFile, call, request, request_for_rewind, size};

use crate::figures::{Better, Figures, Measured, Who, median};
use crate::process::{Agent, Binary, Workspace};
use anyhow::{Context, Result};
use std::ffi::OsStr;
use std::time::{Duration, Instant};

pub(crate) const KIB: usize = 1 << 10;
pub(crate) const MIB: usize = 1 << 20;

/// Long enough for an agent to have finished its start, or to have given memory back.
const SETTLE: Duration = Duration::from_millis(300);

/// The programs that are measured.
pub(crate) struct Binaries {
    pub(crate) oracle: Binary,
    pub(crate) agent: Binary,
    pub(crate) limit: Option<Binary>,
}

impl Binaries {
    /// In the order of measuring.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Who, &Binary)> {
        let agents = [(Who::Oracle, &self.oracle), (Who::Agent, &self.agent)];
        agents.into_iter().chain(self.limit.iter().map(|limit| (Who::Limit, limit)))
    }
}

/// What a phase does with an agent.
type Measure<'a> = &'a mut dyn FnMut(&mut Agent) -> Result<Vec<Measured>>;

/// Measures everything once, with fresh agents.
pub(crate) fn run(
    binaries: &Binaries,
    workspace: &Workspace,
    file: &TestFile,
    plan: &Plan,
    figures: &mut Figures,
) -> Result<()> {
    starts(binaries, workspace, plan, figures)?;

    let started = binaries.iter().map(|(who, binary)| Ok((who, Agent::start(binary, workspace)?)));
    let mut agents = started.collect::<Result<Vec<_>>>()?;
    std::thread::sleep(SETTLE);
    let mut phase = |with_limit: bool, measure: Measure<'_>| -> Result<()> {
        for (who, agent) in agents.iter_mut().filter(|(who, _)| with_limit || *who != Who::Limit) {
            figures.record(*who, measure(agent).with_context(|| format!("{who:?}"))?);
        }
        Ok(())
    };
    phase(false, &mut |agent| memory(agent, "idle"))?;
    phase(true, &mut |agent| latency::ping(agent, plan.pings))?;
    phase(true, &mut |agent| latency::pipelined_pings(agent, plan.pipelined))?;
    for command in latency::POLLED {
        phase(false, &mut |agent| latency::polled(agent, command, plan.polled))?;
    }
    phase(false, &mut |agent| latency::open_and_close(agent, file, plan.opens))?;
    for (count, total) in plan.reads {
        phase(true, &mut |agent| transfer::read(agent, file, count, total))?;
    }
    for (count, total) in plan.writes {
        phase(true, &mut |agent| transfer::write(agent, file, count, total))?;
    }
    phase(false, &mut |agent| exec::run_true(agent, plan.execs))?;
    phase(false, &mut |agent| exec::capture(agent, plan.captures))?;
    std::thread::sleep(SETTLE);
    phase(false, &mut |agent| memory(agent, "after load"))?;
    phase(false, &mut |agent| {
        let peak = agent.memory()?.peak;
        Ok(vec![Measured::new("memory, peak", "KiB", Better::Lower, peak as f64)])
    })?;
    rest::wake_ups(&agents, plan.rest, figures)
}

/// From before the start of the process to the first reply.
fn starts(binaries: &Binaries, workspace: &Workspace, plan: &Plan, figures: &mut Figures) -> Result<()> {
    let both = [(Who::Oracle, &binaries.oracle), (Who::Agent, &binaries.agent)];
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..plan.starts {
        for ((_, binary), times) in both.iter().zip(&mut times) {
            times.push(start(binary, workspace, &[])?.as_secs_f64() * 1e3);
        }
    }
    for ((who, _), times) in both.iter().zip(times) {
        figures.record(*who, vec![Measured::new("start to first reply", "ms", Better::Lower, median(&times))]);
    }
    Ok(())
}

/// Starts an agent until it has answered once.
pub(crate) fn start(binary: &Binary, workspace: &Workspace, options: &[&OsStr]) -> Result<Duration> {
    let start = Instant::now();
    let mut agent = Agent::start_with(binary, workspace, options)?;
    agent.connection.exchange(PING)?;
    Ok(start.elapsed())
}

fn memory(agent: &mut Agent, when: &str) -> Result<Vec<Measured>> {
    let memory = agent.memory()?;
    let measured =
        |what, value: u64| Measured::new(format!("memory {when}, {what}"), "KiB", Better::Lower, value as f64);
    Ok(vec![measured("resident", memory.resident), measured("private", memory.private)])
}
