//! Freezes two file systems and breaks before it can say so.

use bindings::bulkhead::agent::freezer;
use bulkhead_module::CommandError;
use bulkhead_villains::Nothing;

bulkhead_module::module! {
    wit: "../../../wit",
    world: "filesystem-module",
    "guest-fsfreeze-freeze" => vice,
}

fn vice(_: Nothing) -> Result<i64, CommandError> {
    freezer::begin().expect("the state can be put on record");
    freezer::freeze(b"/data").expect("/data freezes");
    freezer::freeze(b"/srv").expect("/srv freezes");
    panic!("and now?")
}
