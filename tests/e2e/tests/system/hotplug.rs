//! Processors and memory that come and go while the system runs, as the kernel counts them.

use bulkhead_e2e::{Lab, list};
use serde_json::{Value, json};

const PROCESSORS: &str = "/sys/devices/system/cpu";
const BLOCKS: &str = "/sys/devices/system/memory";
pub(crate) const MEMORY: &[&str] =
    &["guest-get-memory-blocks", "guest-set-memory-blocks", "guest-get-memory-block-info"];

pub(crate) fn vcpus(lab: &mut Lab) {
    compare_vcpus(lab);
    let set = |lab: &mut Lab, online: bool| {
        lab.call("guest-set-vcpus", json!({ "vcpus": [{ "logical-id": 1, "online": online }] }))
    };
    assert_eq!(set(lab, false), 1);
    assert_eq!(lab.line("grep -c ^processor /proc/cpuinfo"), "1");
    compare_vcpus(lab);
    assert_eq!(set(lab, true), 1);
    assert_eq!(lab.line("grep -c ^processor /proc/cpuinfo"), "2");
    compare_vcpus(lab);

    let refused = lab.client.call("guest-set-vcpus", json!({ "vcpus": [{ "logical-id": 7, "online": true }] }));
    assert_eq!(refused.class(), "GenericError", "{}", refused.text);
}

fn compare_vcpus(lab: &mut Lab) {
    let reply = lab.call("guest-get-vcpus", Value::Null);
    assert_eq!(list(&reply).len(), 2, "{reply}");
    for vcpu in list(&reply) {
        let folder = format!("{PROCESSORS}/cpu{}", vcpu["logical-id"]);
        // Without the file nobody can switch it.
        let online = lab.line(&format!("ls -d {folder} >&2; cat {folder}/online 2>/dev/null || echo always"));
        let online = online.lines().last().unwrap();
        assert_eq!(vcpu["online"], online != "0", "{vcpu}");
        assert_eq!(vcpu["can-offline"], online != "always", "{vcpu}");
    }
}

pub(crate) fn memory_blocks(lab: &mut Lab) {
    let size = lab.call("guest-get-memory-block-info", Value::Null)["size"].as_i64().unwrap();
    assert_eq!(size, lab.number(&format!("echo $((0x$(cat {BLOCKS}/block_size_bytes)))")));
    compare_blocks(lab);

    // The pluggable memory lies above 4 GiB, and nobody has switched it on yet.
    let block = (4i64 << 30) / size;
    let state = format!("cat {BLOCKS}/memory{block}/state");
    assert_eq!(lab.line(&state), "offline", "block {block} of {size} bytes each");
    let before = total(lab);
    assert_eq!(set_block(lab, block, true), json!([{ "phys-index": block, "response": "success" }]));
    assert_eq!(lab.line(&state), "online");
    assert_eq!(total(lab) - before, size, "the kernel has a block more");
    compare_blocks(lab);

    assert_eq!(set_block(lab, block, false), json!([{ "phys-index": block, "response": "success" }]));
    assert_eq!(lab.line(&state), "offline");
    assert_eq!(total(lab), before);
    compare_blocks(lab);

    let reply = set_block(lab, 4000, true);
    assert_eq!(reply[0]["response"], "not-found", "{reply}");
}

fn set_block(lab: &mut Lab, block: i64, online: bool) -> Value {
    lab.call("guest-set-memory-blocks", json!({ "mem-blks": [{ "phys-index": block, "online": online }] }))
}

/// The memory the kernel has, in bytes.
fn total(lab: &mut Lab) -> i64 {
    lab.number("awk '$1 == \"MemTotal:\" { print $2 }' /proc/meminfo") << 10
}

fn compare_blocks(lab: &mut Lab) {
    let reply = lab.call("guest-get-memory-blocks", Value::Null);
    let truth = lab.vm.shell(&format!(
        "cd {BLOCKS}; for block in memory*; do echo ${{block#memory}} $(cat $block/state) $(cat $block/removable 2>/dev/null || echo 0); done"
    ));
    assert_eq!(list(&reply).len(), truth.lines().count(), "{reply}");
    for line in truth.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let number: u64 = words[0].parse().unwrap();
        let block = list(&reply).iter().find(|block| block["phys-index"] == number);
        let block = block.unwrap_or_else(|| panic!("no block {number} in {reply}"));
        assert_eq!(block["online"], words[1] == "online", "{line}");
        assert_eq!(block["can-offline"], words[2] == "1", "{line}");
    }
}
