//! Makes the types of the arguments and returns from `schemas/power.json`.

fn main() {
    bulkhead_schema::generate_for("power");
}
