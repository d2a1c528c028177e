//! What the agents of the growth table are made to hold.

use super::Row;
use super::copies::copy;
use crate::owner::{Owner, SAMPLES};
use crate::phases::{TestFile, call};
use crate::process::{Agent, Binary, Workspace};
use anyhow::{Context, Result, ensure};
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use serde_json::json;
use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};

/// Open files. The last is nearly all that the agent allows a module to have open, 960, with one more to read from.
const HANDLES: [usize; 3] = [0, 100, 950];
const CHILDREN: [usize; 3] = [0, 10, 100];
const MODULES: [usize; 4] = [0, 1, 8, 32];

const POLICY: &str =
    "version = 1\nprofile = \"full\"\n[[command]]\nnames = [\"__com.example_*\"]\nmode = \"enforce\"\n";

/// All rows, those with installed modules if they can be signed, and the file that keeps the programs running.
pub(super) fn rows(binary: &Binary, workspace: &Workspace, file: &TestFile, signs: bool) -> Result<(Vec<Row>, File)> {
    let mut rows = Vec::new();
    for count in HANDLES {
        let mut agent = Agent::start(binary, workspace)?;
        for _ in 0..count {
            call(&mut agent, "guest-file-open", json!({"path": file.path}))?;
        }
        rows.push(Row::new("open handles", count, agent, file)?);
    }

    // Programs that read from a pipe until its only writer, this process, is gone.
    let pipe = workspace.join("pipe");
    mkfifo(&pipe, Mode::S_IRUSR | Mode::S_IWUSR)?;
    let writer = OpenOptions::new().read(true).write(true).open(&pipe)?;
    for count in CHILDREN {
        let mut agent = Agent::start(binary, workspace)?;
        for _ in 0..count {
            call(&mut agent, "guest-exec", json!({"path": "cat", "arg": [pipe]}))?;
        }
        rows.push(Row::new("running children", count, agent, file)?);
    }
    if signs {
        rows.extend(with_modules(binary, workspace, file)?);
    }
    Ok((rows, writer))
}

fn with_modules(binary: &Binary, workspace: &Workspace, file: &TestFile) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    let owner = Owner::new(workspace, "owner-of-many", POLICY)?;
    let modules = modules(&owner, workspace, MODULES[MODULES.len() - 1])?;
    for count in MODULES {
        let store = workspace.join(&format!("store-of-{count}"));
        for module in &modules[..count] {
            owner.tool(&store, &["install".as_ref(), module.as_os_str()])?;
        }
        let options = owner.options(&store);
        let mut agent = Agent::start_with(binary, workspace, &options)?;
        ensure!(commands(&mut agent)? >= count, "not all of {count} modules are there");
        let row = Row::new("installed modules", count, agent, file)?;
        rows.push(Row { restart: Some(options.map(OsStr::to_owned).to_vec()), ..row });
    }
    Ok(rows)
}

/// So many different modules.
fn modules(owner: &Owner, workspace: &Workspace, count: usize) -> Result<Vec<PathBuf>> {
    let sample = std::fs::read(Path::new(SAMPLES).join("answers_1.wasm")).context("run `make samples` first")?;
    let component = workspace.join("copy.wasm");
    let module = |number| -> Result<PathBuf> {
        let (name, copy) = copy(&sample, number)?;
        std::fs::write(&component, copy)?;
        Ok(owner.module(&component, &name, 1))
    };
    (1..=count).map(module).collect()
}

/// How many commands of installed modules the agent has.
fn commands(agent: &mut Agent) -> Result<usize> {
    let info = call(agent, "guest-info", json!({}))?;
    let commands = info["supported_commands"].as_array().context("there is a list of commands")?;
    Ok(commands.iter().filter(|command| command["name"].as_str().is_some_and(|name| name.starts_with("__"))).count())
}
