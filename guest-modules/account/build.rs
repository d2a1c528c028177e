//! Makes the types of the arguments and returns from `schemas/account.json`.

fn main() {
    bulkhead_schema::generate_for("account");
}
