//! Makes the types of the arguments and returns from `schemas/hotplug.json`.

fn main() {
    bulkhead_schema::generate_for("hotplug");
}
