//! Makes the types of the arguments and returns from `schemas/time.json`.

fn main() {
    bulkhead_schema::generate_for("time");
}
