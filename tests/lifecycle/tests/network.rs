//! The owner's word about network interfaces, heard by the agent as it runs.

use bulkhead_test_support::{Agent, Scratch, agent_under_test};
use serde_json::Value;

/// The names that a client is told of, in their order.
fn told(policy: &str) -> Vec<String> {
    let scratch = Scratch::new("network");
    let file = scratch.file("policy.toml", &format!("version = 1\nprofile = \"report\"\n{policy}"));
    let agent = Agent::start_in(scratch, &agent_under_test(), &["--policy", file.to_str().unwrap()], &[]);
    let interfaces = agent.client().call("guest-network-get-interfaces", Value::Null).ok();
    let name = |interface: &Value| interface["name"].as_str().expect("it has a name").to_owned();
    interfaces.as_array().expect("they are a list").iter().map(name).collect()
}

#[test]
fn interfaces_are_left_out_and_come_first_as_the_owner_says() {
    let all = told("");
    assert!(all.iter().any(|name| name == "lo"), "{all:?}");
    let others: Vec<_> = all.iter().filter(|name| *name != "lo").cloned().collect();
    let mut left = told("[network]\nexclude = [\"l*\"]\n");
    left.sort();
    let mut expected: Vec<_> = others.iter().filter(|name| !name.starts_with('l')).cloned().collect();
    expected.sort();
    assert_eq!(left, expected);
    let last = all.last().expect("there is one");
    assert_eq!(told(&format!("[network]\nprimary = [\"nothing*\", \"{last}\"]\n")).first(), Some(last));
}
