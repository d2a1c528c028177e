//! Freezes two file systems as it should, and breaks as soon as it has thawed one of them.

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
    freezer::thaw(b"/srv").expect("/srv thaws");
    panic!("and now?")
}
