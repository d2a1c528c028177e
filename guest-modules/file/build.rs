//! Makes the types of the arguments and returns from `schemas/file.json`.

fn main() {
    bulkhead_schema::generate_for("file");
}
