//! Makes the types of the arguments and returns from `schema.json`.

fn main() {
    bulkhead_schema::generate_from("schema.json");
}
