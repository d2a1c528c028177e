//! Makes the types of the arguments and returns from `schemas/filesystem.json`.

fn main() {
    bulkhead_schema::generate_for("filesystem");
}
