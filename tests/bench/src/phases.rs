//! The phases of one run. In each, qemu-ga is measured first and the agent right after it.

mod exec;
mod latency;
mod transfer;

pub(crate) use latency::PING;
pub(crate) use transfer::TestFile;

use crate::figures::{Better, Figures, Measured, Who, median};
use crate::process::{Agent, Binary, Workspace};
use anyhow::{Context, Result};
use std::time::{Duration, Instant};

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;

/// Long enough for an agent to have finished its start, or to have given memory back.
const SETTLE: Duration = Duration::from_millis(300);

/// How much of everything one run does.
pub(crate) struct Plan {
    starts: usize,
    pings: usize,
    pipelined: usize,
    polled: usize,
    execs: usize,
    captures: usize,
    opens: usize,
    /// Requests of each kind under each policy.
    pub(crate) judged: usize,
    /// Swaps of a module while a client asks.
    pub(crate) swapped: usize,
    /// Bytes per request, bytes in all.
    reads: [(usize, usize); 5],
    writes: [(usize, usize); 4],
}

impl Plan {
    /// About 30 seconds per run on a quiet machine.
    pub(crate) fn full() -> Self {
        Plan {
            starts: 20,
            pings: 20_000,
            pipelined: 100_000,
            polled: 1000,
            execs: 300,
            captures: 5,
            opens: 500,
            judged: 2000,
            swapped: 200,
            reads: [
                (4 * KIB, 16 * MIB),
                (64 * KIB, 128 * MIB),
                (MIB, 256 * MIB),
                (16 * MIB, 256 * MIB),
                (48 * MIB, 240 * MIB),
            ],
            writes: [(4 * KIB, 4 * MIB), (64 * KIB, 32 * MIB), (MIB, 48 * MIB), (16 * MIB, 64 * MIB)],
        }
    }

    /// About 6 seconds per run on a quiet machine.
    pub(crate) fn quick() -> Self {
        Plan {
            starts: 20,
            pings: 2000,
            pipelined: 10_000,
            polled: 200,
            execs: 50,
            captures: 2,
            opens: 100,
            judged: 300,
            swapped: 50,
            reads: [
                (4 * KIB, 4 * MIB),
                (64 * KIB, 16 * MIB),
                (MIB, 32 * MIB),
                (16 * MIB, 32 * MIB),
                (48 * MIB, 48 * MIB),
            ],
            writes: [(4 * KIB, MIB), (64 * KIB, 4 * MIB), (MIB, 8 * MIB), (16 * MIB, 16 * MIB)],
        }
    }
}

/// Measures everything once, with fresh agents.
pub(crate) fn run(
    binaries: &[Binary; 2],
    workspace: &Workspace,
    file: &TestFile,
    plan: &Plan,
    figures: &mut Figures,
) -> Result<()> {
    let [oracle, agent] = starts(binaries, workspace, plan)?;
    figures.record(Who::Oracle, oracle);
    figures.record(Who::Agent, agent);

    let mut agents = [Agent::start(&binaries[0], workspace)?, Agent::start(&binaries[1], workspace)?];
    std::thread::sleep(SETTLE);
    let mut phase = |measure: &mut dyn FnMut(&mut Agent) -> Result<Vec<Measured>>| -> Result<()> {
        for (index, who) in [Who::Oracle, Who::Agent].into_iter().enumerate() {
            let values = measure(&mut agents[index]);
            figures.record(who, values.with_context(|| binaries[index].path.display().to_string())?);
        }
        Ok(())
    };
    phase(&mut |agent| memory(agent, "idle"))?;
    phase(&mut |agent| latency::ping(agent, plan.pings))?;
    phase(&mut |agent| latency::pipelined_pings(agent, plan.pipelined))?;
    for command in latency::POLLED {
        phase(&mut |agent| latency::polled(agent, command, plan.polled))?;
    }
    phase(&mut |agent| latency::open_and_close(agent, file, plan.opens))?;
    for (count, total) in plan.reads {
        phase(&mut |agent| transfer::read(agent, file, count, total))?;
    }
    for (count, total) in plan.writes {
        phase(&mut |agent| transfer::write(agent, file, count, total))?;
    }
    phase(&mut |agent| exec::run_true(agent, plan.execs))?;
    phase(&mut |agent| exec::capture(agent, plan.captures))?;
    std::thread::sleep(SETTLE);
    phase(&mut |agent| memory(agent, "after load"))?;
    phase(&mut |agent| {
        let peak = agent.memory()?.peak;
        Ok(vec![Measured::new("memory, peak", "KiB", Better::Lower, peak as f64)])
    })
}

/// From before the start of the process to the first reply.
fn starts(binaries: &[Binary; 2], workspace: &Workspace, plan: &Plan) -> Result<[Vec<Measured>; 2]> {
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..plan.starts {
        for (binary, times) in binaries.iter().zip(&mut times) {
            let start = Instant::now();
            let mut agent = Agent::start(binary, workspace)?;
            agent.connection.exchange(latency::PING)?;
            times.push(start.elapsed().as_secs_f64() * 1e3);
        }
    }
    Ok(times.map(|times| vec![Measured::new("start to first reply", "ms", Better::Lower, median(&times))]))
}

fn memory(agent: &mut Agent, when: &str) -> Result<Vec<Measured>> {
    let memory = agent.memory()?;
    let measured =
        |what, value: u64| Measured::new(format!("memory {when}, {what}"), "KiB", Better::Lower, value as f64);
    Ok(vec![measured("resident", memory.resident), measured("private", memory.private)])
}
