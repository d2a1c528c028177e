//! Plays a transcript and tells where the answers are not the expected ones.

use crate::expect;
use crate::notation::wire;
use crate::place::Place;
use crate::transcript::{Action, Expected, Kind, Stage, Step, Transcript};
use anyhow::{Context, Result, bail, ensure};
use bulkhead_test_support::{Client, Reply};
use std::path::Path;
use std::time::{Duration, Instant};

/// How long an agent must say nothing to be called silent. Twenty times what a loaded machine needs for an answer.
const SILENCE: Duration = Duration::from_millis(300);

/// How long to look for an answer that nothing announces: long enough to read what is there already.
const GLANCE: Duration = Duration::from_millis(1);

/// How long to look for one more answer when all is over: nothing that comes later could show that it came.
const FAREWELL: Duration = Duration::from_millis(20);

/// How long a program may take to end where its end is expected.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long to wait before it is asked about again.
const PAUSE: Duration = Duration::from_millis(10);

/// One answer that is not the expected one.
#[derive(Clone, Debug)]
pub struct Difference {
    /// The line of the transcript it belongs to.
    pub line: usize,
    /// What was done.
    pub action: String,
    /// What should have come, as it stands in the transcript.
    pub expected: String,
    /// What came, as it would stand there.
    pub got: String,
}

/// What playing a transcript showed.
#[derive(Debug, Default)]
pub struct Observation {
    /// Where it went otherwise than the transcript says.
    pub differences: Vec<Difference>,
    /// For every step what came of it, as it would stand in the transcript.
    pub seen: Vec<Vec<String>>,
}

/// How many answers to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listen {
    /// As many as are expected, and a glance for more.
    AsExpected,
    /// Until the agent is silent: slow, for writing a transcript.
    UntilSilent,
}

/// Plays `transcript` with the agent at `binary`. An error means that it could not be played to its end.
pub fn play(transcript: &Transcript, binary: &Path, listen: Listen) -> Result<Observation> {
    let mut place = match transcript.stage {
        Stage::Plain => Place::plain(binary)?,
        Stage::Sandbox => Place::sandboxed(binary, false)?,
        Stage::FileSystems => Place::sandboxed(binary, true)?,
    };
    let mut client: Option<Client> = None;
    let mut it = Observation::default();
    for step in &transcript.steps {
        if client.is_none() && !matches!(step.action, Action::Run(_)) {
            client = Some(place.start(&transcript.arguments)?);
        }
        let mut seen = Vec::new();
        match &step.action {
            Action::Run(command) => {
                let lines = place.run(&place.placeholders().fill(command))?;
                judge_printed(step, &lines, &place, &mut it.differences);
                seen.extend(lines.iter().map(|line| place.placeholders().hide(&format!("| {line}"))));
            }
            Action::Reconnect => {
                drop(client.take());
                client = Some(place.connect()?);
            }
            Action::Restart => {
                place.kill();
                client = Some(place.start(&transcript.arguments)?);
            }
            Action::Send(text) => {
                let bytes = wire(&place.placeholders().fill(text)).with_context(|| format!("line {}", step.line))?;
                ensure!(place.permits(&bytes), "line {}: such a command belongs into a sandbox", step.line);
                let client = client.as_mut().context("the agent was started before")?;
                let end = Instant::now() + PATIENCE;
                let replies = loop {
                    client.send(&bytes);
                    let replies = replies(client, step, listen);
                    if !is_too_early(step, &replies) || Instant::now() > end {
                        break replies;
                    }
                    std::thread::sleep(PAUSE);
                };
                if let Some(pid) = replies.iter().rev().find_map(|reply| reply.value["return"]["pid"].as_i64()) {
                    place.started(pid);
                }
                judge_replies(step, &replies, &place, &mut it.differences)?;
                seen.extend(replies.iter().map(|reply| place.placeholders().hide(&shown(reply))));
                if replies.is_empty() && !text.ends_with("\\c") {
                    seen.push("<- nothing".to_owned());
                }
            }
        }
        it.seen.push(seen);
    }
    if let (Some(client), Some(last)) = (&mut client, transcript.steps.last())
        && let Some(late) = client.try_reply(FAREWELL)
    {
        it.differences.push(Difference {
            line: last.line,
            action: "the end".to_owned(),
            expected: "<- nothing".to_owned(),
            got: place.placeholders().hide(&shown(&late)),
        });
    }
    Ok(it)
}

/// The replies to what was sent last.
fn replies(client: &mut Client, step: &Step, listen: Listen) -> Vec<Reply> {
    let wanted = step.expected.iter().filter(|expected| expected.kind != Kind::Silence).count();
    let silence = step.expected.iter().any(|expected| expected.kind == Kind::Silence);
    let mut replies = Vec::new();
    loop {
        let wait = match listen {
            Listen::AsExpected if replies.len() < wanted => client.patience,
            Listen::AsExpected if !silence => GLANCE,
            _ => SILENCE,
        };
        match client.try_reply(wait) {
            Some(reply) => replies.push(reply),
            None => return replies,
        }
    }
}

/// Whether the answer is that a program still runs where its end is expected: then it has to be asked for again.
fn is_too_early(step: &Step, replies: &[Reply]) -> bool {
    let runs = |reply: &Reply| reply.value["return"]["exited"] == false;
    replies.len() == 1 && runs(&replies[0]) && step.expected.iter().any(|it| it.text.contains(r#""exited": true"#))
}

fn judge_replies(step: &Step, replies: &[Reply], place: &Place, into: &mut Vec<Difference>) -> Result<()> {
    let wanted: Vec<&Expected> = step.expected.iter().filter(|expected| expected.kind != Kind::Silence).collect();
    for at in 0..wanted.len().max(replies.len()) {
        let (expected, got) = (wanted.get(at), replies.get(at));
        if let (Some(expected), Some(got)) = (expected, got) {
            match expect::reply(expected, got, place.placeholders()) {
                Ok(true) => continue,
                Ok(false) => {}
                Err(error) => bail!("line {}: the expected reply is not JSON: {error}", expected.line),
            }
        }
        into.push(Difference {
            line: expected.map_or(step.line, |expected| expected.line),
            action: described(step),
            expected: expected.map_or("<- nothing".to_owned(), |expected| format!("<- {}", expected.text)),
            got: got.map_or("<- nothing".to_owned(), |reply| place.placeholders().hide(&shown(reply))),
        });
    }
    Ok(())
}

fn judge_printed(step: &Step, lines: &[String], place: &Place, into: &mut Vec<Difference>) {
    let fits = step.expected.len() == lines.len()
        && step.expected.iter().zip(lines).all(|(expected, got)| expect::printed(expected, got, place.placeholders()));
    if !fits {
        let expected: Vec<&str> = step.expected.iter().map(|expected| expected.text.as_str()).collect();
        into.push(Difference {
            line: step.line,
            action: described(step),
            expected: format!("| {}", expected.join("\n| ")),
            got: place.placeholders().hide(&format!("| {}", lines.join("\n| "))),
        });
    }
}

fn described(step: &Step) -> String {
    match &step.action {
        Action::Send(text) => format!("-> {text}"),
        Action::Run(command) => format!("run: {command}"),
        Action::Reconnect => "reconnect".to_owned(),
        Action::Restart => "restart".to_owned(),
    }
}

fn shown(reply: &Reply) -> String {
    format!("<- {}{}", if reply.sentinel { "\\xff" } else { "" }, reply.text)
}
