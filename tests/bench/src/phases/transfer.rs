//! File contents through the agent. Rates count payload bytes, before base64; 1 MB is 10^6 bytes.

use super::{KIB, MIB};
use crate::costs;
use crate::figures::{Better, Measured};
use crate::process::{Agent, Workspace};
use crate::usage::Usage;
use anyhow::{Context, Result, anyhow, ensure};
use base64_simd::STANDARD as BASE64;
use serde_json::{Value, json};
use std::fs::{self, File};
use std::io::Read;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// A file to read, as large as the largest single read that qemu-ga allows.
pub(crate) struct TestFile {
    pub(crate) path: PathBuf,
    pub(crate) content: Vec<u8>,
    /// A file to write.
    pub(crate) target: PathBuf,
}

impl TestFile {
    pub(crate) fn create(workspace: &Workspace) -> Result<Self> {
        let mut content = Vec::with_capacity(48 * MIB);
        File::open("/dev/urandom")?.take(48 * MIB as u64).read_to_end(&mut content)?;
        let path = workspace.join("source");
        fs::write(&path, &content).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(TestFile { path, content, target: workspace.join("target") })
    }
}

pub(super) fn read(agent: &mut Agent, file: &TestFile, count: usize, total: usize) -> Result<Vec<Measured>> {
    let handle = call(agent, "guest-file-open", json!({"path": file.path}))?;
    let request = request("guest-file-read", json!({"handle": handle, "count": count}));
    let rewind = request_for_rewind(&handle);

    // The warm-up, whose data is checked.
    let reply = agent.connection.call(&request)?;
    let data = reply["buf-b64"].as_str().context("a read has a buf-b64")?;
    let data = BASE64.decode_to_vec(data).map_err(|_| anyhow!("a read of {count} bytes is not base64"))?;
    ensure!(data == file.content[..count], "wrong data in a read of {count} bytes");

    let per_pass = (file.content.len() / count).min(total / count);
    let mut cost = Cost::default();
    while cost.bytes < total {
        agent.connection.exchange(&rewind)?;
        cost.add(agent, per_pass * count, |agent| (0..per_pass).try_for_each(|_| agent.connection.exchange(&request)))?;
    }
    call(agent, "guest-file-close", json!({"handle": handle}))?;
    Ok(cost.measured("read", count))
}

pub(super) fn write(agent: &mut Agent, file: &TestFile, count: usize, total: usize) -> Result<Vec<Measured>> {
    let requests = total / count;
    // Its pages are there before the clock runs: what fresh ones cost is the VM's affair, and was seen to be ten times what an
    // agent does.
    fs::write(&file.target, vec![0; requests * count])?;
    let handle = call(agent, "guest-file-open", json!({"path": file.target, "mode": "r+"}))?;
    let text = BASE64.encode_to_string(&file.content[..count]);
    let request = request("guest-file-write", json!({"handle": handle, "buf-b64": text}));

    // The warm-up, overwritten by what counts.
    agent.connection.exchange(&request)?;
    agent.connection.exchange(&request_for_rewind(&handle))?;
    let mut cost = Cost::default();
    cost.add(agent, requests * count, |agent| (0..requests).try_for_each(|_| agent.connection.exchange(&request)))?;
    call(agent, "guest-file-close", json!({"handle": handle}))?;

    let written = fs::read(&file.target)?;
    ensure!(written.len() == requests * count, "{} bytes arrived instead of {}", written.len(), requests * count);
    ensure!(
        written.chunks(count).all(|chunk| chunk == &file.content[..count]),
        "wrong data in a write of {count} bytes"
    );
    fs::remove_file(&file.target)?;
    Ok(cost.measured("write", count))
}

/// What the timed parts cost.
#[derive(Default)]
struct Cost {
    bytes: usize,
    time: Duration,
    used: Usage,
}

impl Cost {
    /// Times `work`, which moves `bytes` bytes.
    fn add(&mut self, agent: &mut Agent, bytes: usize, work: impl FnOnce(&mut Agent) -> Result<()>) -> Result<()> {
        let (before, start) = (agent.usage()?, Instant::now());
        work(agent)?;
        self.time += start.elapsed();
        let used = agent.usage()? - before;
        self.used.cpu_ns += used.cpu_ns;
        self.used.faults += used.faults;
        self.used.switches += used.switches;
        self.bytes += bytes;
        Ok(())
    }

    fn measured(&self, verb: &str, count: usize) -> Vec<Measured> {
        let name = format!("{verb} {}", size(count));
        let rate = self.bytes as f64 / 1e6 / self.time.as_secs_f64();
        let mut all = vec![Measured::new(&name, "MB/s", Better::Higher, rate)];
        all.extend(costs::per_request(&name, self.used, self.bytes / count));
        all
    }
}

/// A size as people write it.
pub(crate) fn size(bytes: usize) -> String {
    if bytes < MIB { format!("{} KiB", bytes / KIB) } else { format!("{} MiB", bytes / MIB) }
}

pub(crate) fn call(agent: &mut Agent, command: &str, arguments: Value) -> Result<Value> {
    agent.connection.call(&request(command, arguments))
}

pub(crate) fn request(command: &str, arguments: Value) -> Vec<u8> {
    format!("{}\n", json!({"execute": command, "arguments": arguments})).into_bytes()
}

pub(crate) fn request_for_rewind(handle: &Value) -> Vec<u8> {
    request("guest-file-seek", json!({"handle": handle, "offset": 0, "whence": "set"}))
}
