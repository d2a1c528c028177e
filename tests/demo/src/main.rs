//! `make demo`: starts the agent, talks to it as a client would, and shows the conversation.
//!
//! It is the shortest answer to "does it work here?": no VM, no root, nothing outside a temporary folder. Each reply
//! is compared with what a client relies on; the first wrong one ends the demo with exit status 1. Then a second agent, under a
//! policy of its owner's, is asked for what it may not.

mod policy;
mod script;
mod table;

use anyhow::{Context, Result, anyhow, bail, ensure};
use bulkhead_test_support::{Agent, Client, Reply, Scratch, agent_under_test};
use script::Step;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use table::Table;

/// The agent's options: one command is blocked, to show a refusal.
const OPTIONS: [&str; 2] = ["-b", "guest-shutdown"];

fn main() -> ExitCode {
    match demo() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nbulkhead-demo: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn demo() -> Result<()> {
    let binary = agent_under_test();
    let table = Table::for_stdout();
    let mut times = Vec::new();

    let mut agent = Agent::start(&binary, &OPTIONS);
    table.header(&format!("{} -m unix-listen -p SOCKET {}", binary.display(), OPTIONS.join(" ")));
    table.legend();
    let steps = script::conversation(agent.scratch());
    play(&mut agent, &table, steps, &mut times)?;
    let written = std::fs::read(agent.scratch().join(script::NOTE_NAME)).context("the file that was written")?;
    ensure!(written == script::NOTE.as_bytes(), "the file holds {:?}", String::from_utf8_lossy(&written));

    let scratch = Scratch::new("demo-policy");
    let text = policy::prepare(&scratch)?;
    let steps = policy::conversation(&scratch);
    let file = scratch.join("policy.toml");
    let mut agent = Agent::start(&binary, &["--policy", file.to_str().context("a path that is text")?]);
    if !policy::can_look_for_files(&mut agent, &scratch)? {
        println!("\nLeft out: the part under a policy. This system has no openat2(2), which Linux has since 5.6.");
        table.sum(times);
        return Ok(());
    }
    table.header(&format!("\n{} -m unix-listen -p SOCKET --policy policy.toml", binary.display()));
    table.quote(&text);
    play(&mut agent, &table, steps, &mut times)?;
    let log = agent.log();
    let told = log.lines().find(|line| line.contains("secret")).context("the log tells nothing of the denial")?;
    table.chapter("What the owner reads of it in the log");
    table.quote(told);

    table.sum(times);
    Ok(())
}

/// Has a client go through the steps.
fn play(agent: &mut Agent, table: &Table, steps: Vec<Step>, times: &mut Vec<Duration>) -> Result<()> {
    wait_for_socket(agent)?;
    let mut client = agent.client();
    for step in steps {
        if let Some(chapter) = step.chapter {
            table.chapter(chapter);
        }
        let (reply, time) = exchange(&mut client, &step)
            .with_context(|| format!("{}: the agent's log:\n{}", step.request, agent.log()))?;
        table.row(&step, &reply, time);
        (step.check)(&reply)
            .map_err(|error| anyhow!("wrong reply to {}: {error}; it was\n{}", step.request, reply.text))?;
        times.push(time);
    }
    Ok(())
}

/// Sends one request; the reply and the time from the first byte sent to the last byte read.
fn exchange(client: &mut Client, step: &Step) -> Result<(Reply, Duration)> {
    let line = format!("{}\n", step.request);
    let start = Instant::now();
    client.send(line.as_bytes());
    let reply = client.try_reply(client.patience).context("no reply came")?;
    Ok((reply, start.elapsed()))
}

/// Waits until the agent listens. One that ends instead says why in its log, which is worth more than a refused
/// connection.
pub(crate) fn wait_for_socket(agent: &mut Agent) -> Result<()> {
    let end = Instant::now() + Duration::from_secs(10);
    while !agent.scratch().join("socket").exists() {
        if let Some(status) = agent.child().try_wait()? {
            bail!("the agent ended at its start with {status}; its log:\n{}", agent.log());
        }
        ensure!(Instant::now() < end, "the agent does not listen after ten seconds; its log:\n{}", agent.log());
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}
