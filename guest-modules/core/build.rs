//! Makes the types of the arguments and returns from `schemas/core.json`.

fn main() {
    bulkhead_schema::generate_for("core");
}
