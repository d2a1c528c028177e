//! How a read and a write grow with what they carry.

use crate::figures::{median, paired_ratio};
use crate::phases::{KIB, MIB, Plan, TestFile, call, request, request_for_rewind, size};
use crate::process::{Agent, Binary, Workspace};
use crate::report::{number, ratio};
use anyhow::Result;
use base64_simd::STANDARD as BASE64;
use serde_json::{Value, json};
use std::time::Instant;

/// Bytes per request.
const SIZES: [usize; 9] = [KIB, 4 * KIB, 16 * KIB, 64 * KIB, 256 * KIB, MIB, 4 * MIB, 16 * MIB, 48 * MIB];

/// The largest write: of base64 in one request, both agents take a little less than 64 MiB.
const LARGEST_WRITE: usize = 47 * MIB;

/// Small payloads are asked for this often in a row, large ones as often as makes [`BYTES`], but at least once.
const MOST: usize = 100;
const BYTES: usize = 16 * MIB;

/// A size, the agent that has handled nothing else, and its two requests.
struct Row {
    size: usize,
    agent: Agent,
    rewinds: [Vec<u8>; 2],
    /// A read, and a write where it is not too large.
    requests: [Option<Vec<u8>>; 2],
    /// One median per round, of reads and of writes, in µs.
    times: [Vec<f64>; 2],
}

/// Measures and prints; the result is for the JSON file.
pub(crate) fn print_table(binary: &Binary, workspace: &Workspace, file: &TestFile, plan: &Plan) -> Result<Value> {
    let rows = SIZES.iter().map(|size| Row::new(binary, workspace, file, *size));
    let mut rows = rows.collect::<Result<Vec<_>>>()?;
    for _ in 0..plan.rounds {
        rows.iter_mut().try_for_each(Row::measure)?;
    }
    println!("\nHow times grow with what a request carries. Medians of {} rounds; × the first row.", plan.rounds);
    println!("A write of 48 MiB does not fit into a request.\n");
    println!(
        "{:<12} {:>9} {:>8} {:>9} {:>9} {:>8} {:>9}",
        "payload", "read µs", "×", "ns/byte", "write µs", "×", "ns/byte"
    );
    let mut table = Vec::new();
    for row in &rows {
        print!("{:<12}", size(row.size));
        for (times, first) in row.times.iter().zip(&rows[0].times) {
            let (time, grown) = (median(times), paired_ratio(times, first));
            print!(" {:>9} {:>8} {:>9}", number(time), ratio(grown), number(time * 1e3 / row.size as f64));
        }
        println!();
        table.push(json!({"bytes": row.size, "read µs": row.times[0], "write µs": row.times[1]}));
    }
    Ok(Value::Array(table))
}

impl Row {
    fn new(binary: &Binary, workspace: &Workspace, file: &TestFile, size: usize) -> Result<Self> {
        let mut agent = Agent::start(binary, workspace)?;
        let target = workspace.join("target-of-writes");
        let from = call(&mut agent, "guest-file-open", json!({"path": file.path}))?;
        let to = call(&mut agent, "guest-file-open", json!({"path": target, "mode": "w"}))?;
        let content = Some(&file.content[..size]).filter(|_| size <= LARGEST_WRITE);
        let write = content.map(|content| {
            request("guest-file-write", json!({"handle": to, "buf-b64": BASE64.encode_to_string(content)}))
        });
        Ok(Row {
            size,
            agent,
            rewinds: [request_for_rewind(&from), request_for_rewind(&to)],
            requests: [Some(request("guest-file-read", json!({"handle": from, "count": size}))), write],
            times: [Vec::new(), Vec::new()],
        })
    }

    /// One round: all at the beginning of the file, so that no request finds it at its end.
    fn measure(&mut self) -> Result<()> {
        let count = (BYTES / self.size).clamp(1, MOST);
        for ((request, rewind), times) in self.requests.iter().zip(&self.rewinds).zip(&mut self.times) {
            let Some(request) = request else { continue };
            let mut round = Vec::with_capacity(count);
            for _ in 0..count {
                self.agent.connection.exchange(rewind)?;
                let start = Instant::now();
                self.agent.connection.exchange(request)?;
                round.push(start.elapsed().as_secs_f64() * 1e6);
            }
            times.push(median(&round));
        }
        Ok(())
    }
}
