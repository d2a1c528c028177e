//! What installed modules cost: installing one, starting with one, and the pause that a swap adds to a request.
//!
//! For the pause a client asks as fast as it can while the owner's tool changes the version of a module back and forth: first in
//! a store that no agent has, then in the agent's own. Both times the machine has as much to do beside the agent, so that what
//! differs is what the swaps cost. The command asked is the module's, so that its answers tell how many swaps there were.

use crate::figures::{median, quantile};
use crate::owner::{Owner, SAMPLES};
use crate::phases::Plan;
use crate::process::{Agent, Binary, Workspace};
use anyhow::{Result, ensure};
use serde_json::{Value, json};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How often a module is installed, or an agent started. The table shows medians.
const TIMES: usize = 9;

/// Requests that are answered before it counts.
const WARM_UP: usize = 50;

/// Longer than an agent should take for a module.
const PATIENCE: Duration = Duration::from_secs(10);

const REQUEST: &[u8] = b"{\"execute\":\"__com.example_answer\"}\n";

const POLICY: &str =
    "version = 1\nprofile = \"standard\"\n[[command]]\nnames = [\"__com.example_answer\"]\nmode = \"enforce\"\n";

/// Two versions of a module, and who installs them.
struct Shop {
    owner: Owner,
    versions: [PathBuf; 2],
}

/// Measures and prints; the result is for the JSON file.
pub(crate) fn print_table(binary: &Binary, workspace: &Workspace, plan: &Plan) -> Result<Value> {
    let shop = Shop::open(workspace)?;
    println!("\nWhat installed modules cost. Medians of {TIMES} times, in ms.\n");
    let line = |name: &str, times: &[f64]| println!("{name:<56} {:>8.1}", median(times));
    let (installing, answering) = shop.installs(binary, workspace)?;
    line("installing: verifying, compiling, trying, committing", &installing);
    line("from there to the first answer of a running agent", &answering);
    let (without, with) = shop.starts(binary, workspace)?;
    line("start of an agent to the first reply, without a module", &without);
    line("start of an agent to the first answer of a module", &with);

    let times = json!({"installing": installing, "answering": answering, "start": without, "start with one": with});
    let mut pauses = Vec::new();

    println!("\nOne client, as fast as it can, while versions are swapped. Round trips in µs.\n");
    println!(
        "{:<22} {:>9} {:>6} {:>8} {:>8} {:>8} {:>8}",
        "swaps are in", "requests", "swaps", "median", "99 %", "99.9 %", "worst"
    );
    for (name, own) in [("a store of nobody's", false), ("the agent's store", true)] {
        let (times, swaps) = shop.pause(binary, workspace, plan.swapped, own)?;
        let [middle, high, higher, worst] = [0.5, 0.99, 0.999, 1.0].map(|part| quantile(&times, part));
        println!("{name:<22} {:>9} {swaps:>6} {middle:>8.1} {high:>8.1} {higher:>8.1} {worst:>8.1}", times.len());
        pauses.push(json!({
            "swaps are in": name, "requests": times.len(), "swaps": swaps,
            "median µs": middle, "99 % µs": high, "99.9 % µs": higher, "worst µs": worst,
        }));
    }
    Ok(json!({"ms": times, "pauses": pauses}))
}

impl Shop {
    fn open(workspace: &Workspace) -> Result<Self> {
        let owner = Owner::new(workspace, "owner", POLICY)?;
        let versions = [1, 2].map(|version| {
            let component = Path::new(SAMPLES).join(format!("answers_{version}.wasm"));
            owner.module(&component, "answer", version)
        });
        Ok(Shop { owner, versions })
    }

    /// Milliseconds that an installation takes, and those from its end until a running agent has answered.
    fn installs(&self, binary: &Binary, workspace: &Workspace) -> Result<(Vec<f64>, Vec<f64>)> {
        let (mut installing, mut answering) = (Vec::new(), Vec::new());
        for number in 0..TIMES {
            let store = workspace.join(&format!("installed-{number}"));
            let mut agent = self.agent(binary, workspace, &store)?;
            agent.connection.exchange(crate::phases::PING)?;
            let start = Instant::now();
            self.owner.tool(&store, &["install".as_ref(), self.versions[0].as_os_str()])?;
            let installed = Instant::now();
            installing.push((installed - start).as_secs_f64() * 1e3);
            until_answered(&mut agent)?;
            answering.push(installed.elapsed().as_secs_f64() * 1e3);
        }
        Ok((installing, answering))
    }

    /// Milliseconds from before the start of a process to its first reply: to a ping without a store, of the module with one.
    fn starts(&self, binary: &Binary, workspace: &Workspace) -> Result<(Vec<f64>, Vec<f64>)> {
        let (none, store) = (workspace.join("no-store"), workspace.join("store-at-start"));
        self.owner.tool(&store, &["install".as_ref(), self.versions[0].as_os_str()])?;
        let (mut without, mut with) = (Vec::new(), Vec::new());
        for _ in 0..TIMES {
            for (store, request, times) in [(&none, crate::phases::PING, &mut without), (&store, REQUEST, &mut with)] {
                let start = Instant::now();
                let mut agent = self.agent(binary, workspace, store)?;
                agent.connection.exchange(request)?;
                times.push(start.elapsed().as_secs_f64() * 1e3);
            }
        }
        Ok((without, with))
    }

    /// Round trips in microseconds while `count` swaps are made, and how many of them the answers have shown.
    fn pause(&self, binary: &Binary, workspace: &Workspace, count: usize, own: bool) -> Result<(Vec<f64>, usize)> {
        let [agents, other] = ["own", "other"].map(|name| workspace.join(&format!("swapped-{name}-{own}")));
        for version in &self.versions {
            [&agents, &other]
                .iter()
                .try_for_each(|store| self.owner.tool(store, &["install".as_ref(), version.as_os_str()]))?;
        }
        let mut agent = self.agent(binary, workspace, &agents)?;
        (0..WARM_UP).try_for_each(|_| agent.connection.exchange(REQUEST))?;

        let (store, done) = (if own { &agents } else { &other }, AtomicBool::new(false));
        std::thread::scope(|scope| {
            let swapping = scope.spawn(|| {
                let swapped = (0..count).try_for_each(|number| -> Result<()> {
                    let to = if number % 2 == 0 { "1.0" } else { "2.0" };
                    let words = ["rollback", "com.example.answer", "--to", to].map(OsStr::new);
                    self.owner.tool(store, &words)?;
                    // Swaps that come faster than the agent takes them are one.
                    std::thread::sleep(Duration::from_millis(20));
                    Ok(())
                });
                done.store(true, Ordering::Relaxed);
                swapped
            });
            let (mut times, mut swaps, mut last) = (Vec::new(), 0, None);
            while !done.load(Ordering::Relaxed) {
                let start = Instant::now();
                let answer = agent.connection.call(REQUEST)?;
                times.push(start.elapsed().as_secs_f64() * 1e6);
                swaps += usize::from(last.is_some_and(|last| last != answer));
                last = Some(answer);
            }
            swapping.join().map_err(|_| anyhow::anyhow!("the swapping thread panicked"))??;
            ensure!(own == (swaps > 0), "the agent has swapped {swaps} times");
            Ok((times, swaps))
        })
    }

    fn agent(&self, binary: &Binary, workspace: &Workspace, store: &Path) -> Result<Agent> {
        Agent::start_with(binary, workspace, &self.owner.options(store))
    }
}

/// Asks until the agent knows the command.
fn until_answered(agent: &mut Agent) -> Result<()> {
    let end = Instant::now() + PATIENCE;
    while let Err(error) = agent.connection.call(REQUEST) {
        ensure!(Instant::now() < end, "the agent does not take the module: {error:#}");
        std::thread::sleep(Duration::from_micros(200));
    }
    Ok(())
}
