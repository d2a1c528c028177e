//! Makes the types of the arguments and returns from `schemas/report.json`.

fn main() {
    bulkhead_schema::generate_for("report");
}
