//! A vendor's command while file systems are frozen: what it says of itself is believed only if the owner says it too, and then it
//! gets nothing that might wait for a disk. Else it would hold up the thaw that it waits for.

use bulkhead_fault::House;
use bulkhead_sys::Fake;
use serde_json::json;

const WRITE: &str = "__com.example_write";

/// What the vendor's module may do, and a rule for all its commands.
const POLICY: &str = "profile = \"backup\"\n\
    [[command]]\nnames = [\"__com.example_*\"]\nmode = \"enforce\"\n\
    [[permit]]\ncapability = \"files\"\nmodules = [\"com.example.writer\"]\ntrees = [\"/\"]\n\
    access = [\"read\", \"write\", \"append\", \"create\", \"truncate\"]\nlinks = true\nspecial = true\nreason = \"x\"\n";

fn house(more: &str) -> House {
    let system = Fake::default();
    system.mount("/", None);
    system.install("/etc/hook", Ok(()));
    let commands = [("__com.example_open", false), (WRITE, true)];
    let house = House::with_vendor(&system, "com.example.writer", "writes_while_frozen", &commands);
    house.set_policy(&format!("{POLICY}{more}"));
    house
}

fn write(house: &mut House, handle: &serde_json::Value) -> serde_json::Value {
    let request = json!({ "execute": WRITE, "arguments": { "handle": handle } });
    house.ask(&request.to_string()).expect("it is answered")
}

#[test]
fn what_a_vendor_says_of_its_command_is_not_enough() {
    let mut house = house("");
    assert_eq!(house.success("guest-fsfreeze-freeze"), 1);
    let refused = "Command __com.example_write has been disabled: the command is not allowed";
    assert_eq!(house.failure(WRITE), refused);
    assert_eq!(house.success("guest-fsfreeze-thaw"), 1);
    assert!(house.success(WRITE).is_number(), "thawed it runs");
}

#[test]
fn with_the_owners_word_it_runs_and_opens_writes_and_closes_nothing() {
    let mut house = house("[[command]]\nnames = [\"__com.example_write\"]\nmode = \"enforce\"\nwhile = \"frozen\"\n");
    let handle = house.success("__com.example_open");
    assert_eq!(house.success("guest-fsfreeze-freeze"), 1);
    assert_eq!(write(&mut house, &handle), json!({ "return": 111 }), "everything is denied");
    assert!(house.failure("__com.example_open").contains("has been disabled"), "of the other it says nothing");
    assert_eq!(house.success("guest-fsfreeze-thaw"), 1);
    assert_eq!(write(&mut house, &handle), json!({ "return": 0 }), "and thawed nothing is");
}

#[test]
fn to_be_observed_is_no_way_around() {
    let observe = "[[command]]\nnames = [\"__com.example_*\"]\nmode = \"observe\"\nwhile = \"frozen\"\n";
    let mut house = house(observe);
    house.set_policy(&POLICY.replace("[[command]]\nnames = [\"__com.example_*\"]\nmode = \"enforce\"\n", observe));
    assert_eq!(house.success("guest-fsfreeze-freeze"), 1);
    assert_eq!(write(&mut house, &json!(0)), json!({ "return": 111 }));
    assert_eq!(house.success("guest-fsfreeze-thaw"), 1);
}
