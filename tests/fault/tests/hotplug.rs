//! Processors and memory on a system that pretends, and that refuses what files in a folder cannot refuse.

use bulkhead_fault::House;
use bulkhead_sys::{Errno, Fake};
use serde_json::{Value, json};

fn set(house: &mut House, command: &str, arguments: Value) -> Value {
    let request = json!({"execute": command, "arguments": arguments});
    house.ask(&request.to_string()).expect("it is answered")
}

fn processors(house: &mut House, list: &[(i64, bool)]) -> Value {
    let vcpus: Vec<_> = list.iter().map(|(id, online)| json!({"logical-id": id, "online": online})).collect();
    set(house, "guest-set-vcpus", json!({"vcpus": vcpus}))
}

fn memory_blocks(house: &mut House, list: impl IntoIterator<Item = (u64, bool)>) -> Value {
    let block = |(index, online)| json!({"phys-index": index, "online": online});
    set(house, "guest-set-memory-blocks", json!({"mem-blks": list.into_iter().map(block).collect::<Vec<_>>()}))
}

#[test]
fn a_busy_processor_ends_the_list() {
    let system = Fake::default();
    for id in 1..4 {
        system.write_system_file(&format!("/sys/devices/system/cpu/cpu{id}/online"), "1\n");
    }
    system.refuse_processor(2, Errno::EBUSY);
    let mut house = House::new(&system);
    assert_eq!(processors(&mut house, &[(1, false), (2, false), (3, false)]), json!({"return": 1}));
    let busy = "pwrite(\"/sys/devices/system/cpu/cpu2//online\"): Device or resource busy";
    assert_eq!(processors(&mut house, &[(2, false), (3, false)])["error"]["desc"], busy);
    assert_eq!(processors(&mut house, &[(2, true)]), json!({"return": 1}), "it is so already");
    assert_eq!(system.events(), ["processor 1 offline", "processor 2 offline", "processor 2 offline"]);
}

#[test]
fn a_block_that_refuses_says_why_and_the_others_go_on() {
    let system = Fake::default();
    let reasons = [(0, Errno::EBUSY), (1, Errno::EINVAL), (2, Errno::ETIMEDOUT), (3, Errno::EUCLEAN)];
    for index in 0..5 {
        system.write_system_file(&format!("/sys/devices/system/memory/memory{index}/state"), "online\n");
    }
    for (index, errno) in reasons {
        system.refuse_memory_block(index, errno);
    }
    let answer = memory_blocks(&mut House::new(&system), (0..5).map(|index| (index, false)));
    assert_eq!(
        answer["return"],
        json!([
            {"phys-index": 0, "response": "operation-failed", "error-code": 16},
            {"phys-index": 1, "response": "operation-failed", "error-code": 22},
            {"phys-index": 2, "response": "operation-failed", "error-code": 110},
            {"phys-index": 3, "response": "operation-failed", "error-code": 117},
            {"phys-index": 4, "response": "success"}
        ])
    );
    assert_eq!(system.events().len(), 5);
}

/// More than a VM of today has, each to be switched: such a list must fit into the compartment, arguments and answer.
#[test]
fn a_long_list_is_worked_through() {
    const BLOCKS: u64 = 16_384;
    let system = Fake::default();
    for index in 0..BLOCKS {
        system.write_system_file(&format!("/sys/devices/system/memory/memory{index}/state"), "online\n");
    }
    let mut house = House::new(&system);
    let answer = memory_blocks(&mut house, (0..BLOCKS).map(|index| (index, false)));
    let verdicts = answer["return"].as_array().unwrap_or_else(|| panic!("{answer}"));
    assert_eq!(verdicts.len(), 16_384);
    assert!(verdicts.iter().all(|verdict| verdict["response"] == "success"));
    assert_eq!(system.events().len(), 16_384);

    let missing = memory_blocks(&mut house, (BLOCKS..BLOCKS + 500).map(|index| (index, false)));
    let verdicts = missing["return"].as_array().unwrap_or_else(|| panic!("{missing}"));
    assert!(verdicts.iter().all(|verdict| verdict["response"] == "not-found"));
}

/// What is too long is refused before anything is done.
#[test]
fn an_endless_list_switches_nothing() {
    let system = Fake::default();
    system.write_system_file("/sys/devices/system/memory/memory0/state", "online\n");
    let mut house = House::new(&system);
    let answer = memory_blocks(&mut house, std::iter::repeat_n((0, false), 1_000_000));
    assert!(answer["error"]["desc"].is_string(), "{answer}");
    assert_eq!(system.events(), [""; 0]);
    assert_eq!(memory_blocks(&mut house, [(0, false)])["return"][0]["response"], "success", "the next one is served");
}
