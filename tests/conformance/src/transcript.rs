//! A transcript, as it stands in its file.

use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};

/// One file.
#[derive(Clone, Debug)]
pub struct Transcript {
    /// Folder and file without its ending, such as `guest-file-open/absent`.
    pub name: String,
    /// Where it was read.
    pub path: PathBuf,
    /// Where it must be played.
    pub stage: Stage,
    /// The agent's additional arguments.
    pub arguments: Vec<String>,
    /// What happens, in order.
    pub steps: Vec<Step>,
}

/// Where a transcript can be played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// On this machine: it sends only what is harmless.
    Plain,
    /// `sandbox`: where switching off only leaves a note.
    Sandbox,
    /// `sandbox: file systems`: where there are some to freeze, too.
    FileSystems,
}

/// Something done, and what it is expected to bring.
#[derive(Clone, Debug)]
pub struct Step {
    /// Its line, counted from 1.
    pub line: usize,
    /// What is done.
    pub action: Action,
    /// What comes of it, in order.
    pub expected: Vec<Expected>,
}

/// What can be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// `-> TEXT`: the client sends it.
    Send(String),
    /// `run: COMMAND`: a shell in the VM runs it.
    Run(String),
    /// `reconnect`: the client leaves and another comes.
    Reconnect,
    /// `restart`: the agent is killed (SIGKILL) and started again.
    Restart,
}

/// One line of what is expected.
#[derive(Clone, Debug)]
pub struct Expected {
    /// Its line, counted from 1.
    pub line: usize,
    /// How it is to be compared.
    pub kind: Kind,
    /// What stands behind the arrow.
    pub text: String,
}

/// How an expected line is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `<-`: the same JSON value.
    Same,
    /// `<~`: a JSON value that holds this one.
    Contains,
    /// `<=`: the same text.
    Exact,
    /// `<- nothing`: silence.
    Silence,
    /// `|`: a line that the command printed.
    Printed,
}

/// The beginnings of expected lines.
pub const ARROWS: [(&str, Kind); 4] =
    [("<- ", Kind::Same), ("<~ ", Kind::Contains), ("<= ", Kind::Exact), ("| ", Kind::Printed)];

/// Reads the transcript in `folder`/`path`.
pub fn read(root: &Path, path: &Path) -> Result<Transcript> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let name = path.strip_prefix(root).unwrap_or(path).with_extension("").display().to_string();
    parse(name, path.to_owned(), &text)
}

/// Reads a transcript's text.
pub fn parse(name: String, path: PathBuf, text: &str) -> Result<Transcript> {
    let mut it = Transcript { name, path, stage: Stage::Plain, arguments: Vec::new(), steps: Vec::new() };
    for (index, content) in text.lines().enumerate() {
        let line = index + 1;
        let act = if content.is_empty() || content.starts_with('#') {
            continue;
        } else if let Some((kind, text)) = expectation(content) {
            let Some(step) = it.steps.last_mut() else { bail!("line {line}: nothing was done that could bring this") };
            if (kind == Kind::Printed) != matches!(step.action, Action::Run(_)) {
                bail!("line {line}: `|` belongs to `run:`, an arrow to `->`");
            }
            step.expected.push(Expected { line, kind, text: text.to_owned() });
            continue;
        } else if let Some(text) = content.strip_prefix("-> ") {
            Action::Send(text.to_owned())
        } else if let Some(command) = content.strip_prefix("run: ") {
            Action::Run(command.to_owned())
        } else if content == "reconnect" {
            Action::Reconnect
        } else if content == "restart" {
            Action::Restart
        } else if !it.steps.is_empty() {
            bail!("line {line}: not a step: {content}");
        } else if content == "sandbox" {
            it.stage = Stage::Sandbox;
            continue;
        } else if content == "sandbox: file systems" {
            it.stage = Stage::FileSystems;
            continue;
        } else if let Some(arguments) = content.strip_prefix("agent: ") {
            it.arguments.extend(arguments.split(' ').map(str::to_owned));
            continue;
        } else {
            bail!("line {line}: neither a step nor a setting: {content}");
        };
        it.steps.push(Step { line, action: act, expected: Vec::new() });
    }
    if !it.steps.iter().any(|step| matches!(step.action, Action::Send(_))) {
        bail!("it sends nothing");
    }
    Ok(it)
}

fn expectation(content: &str) -> Option<(Kind, &str)> {
    if content == "<- nothing" {
        return Some((Kind::Silence, ""));
    }
    if content == "|" {
        return Some((Kind::Printed, ""));
    }
    ARROWS.iter().find_map(|(arrow, kind)| Some((*kind, content.strip_prefix(arrow)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Transcript> {
        parse("x/y".into(), "y.txt".into(), text)
    }

    #[test]
    fn steps_collect_what_they_bring() {
        let it =
            parsed("# why\nsandbox: file systems\nagent: -b a\nrun: id\n| 0\n\n-> {}\n<- {}\n<- nothing\nrestart\n")
                .unwrap();
        assert_eq!(it.stage, Stage::FileSystems);
        assert_eq!(it.arguments, ["-b", "a"]);
        assert_eq!(it.steps.len(), 3);
        assert_eq!(it.steps[1].action, Action::Send("{}".into()));
        assert_eq!((it.steps[1].line, it.steps[1].expected.len()), (7, 2));
        assert_eq!(it.steps[1].expected[1].kind, Kind::Silence);
    }

    #[test]
    fn a_line_out_of_place_is_refused_with_its_number() {
        for (text, at) in [("<- {}\n", "line 1"), ("-> {}\n| x\n", "line 2"), ("-> {}\nsandbox\n", "line 2")] {
            assert!(parsed(text).unwrap_err().to_string().starts_with(at), "{text}");
        }
        assert!(parsed("# only a comment\n").is_err());
    }
}
