//! Freezes two file systems, and says of a thaw that it is done without having done it.

use bindings::bulkhead::agent::freezer;
use bulkhead_module::CommandError;
use bulkhead_villains::Nothing;

bulkhead_module::module! {
    wit: "../../../wit",
    world: "filesystem-module",
    "guest-fsfreeze-freeze" => freeze,
    "guest-fsfreeze-thaw" => vice,
}

fn freeze(_: Nothing) -> Result<i64, CommandError> {
    freezer::begin().expect("the state can be put on record");
    freezer::freeze(b"/data").expect("/data freezes");
    freezer::freeze(b"/srv").expect("/srv freezes");
    Ok(2)
}

fn vice(_: Nothing) -> Result<i64, CommandError> {
    Ok(0)
}
