//! Makes the types of the arguments and returns from `schemas/exec.json`.

fn main() {
    bulkhead_schema::generate_for("exec");
}
