//! What the generator writes, compared with files to be read by people.
//!
//! After a wanted change: `BLESS=1 cargo test --release -p bulkhead-schema`, then read the difference.

use bulkhead_schema::{Schema, generate};
use std::{env, fs};

/// `sample.json` uses all of the language, `sample.rs` is what must come of it.
#[test]
fn a_module_s_types() {
    let schema = Schema::parse("sample", include_str!("golden/sample.json")).unwrap();
    compare("sample.rs", &generate::rust(&schema));
}

#[test]
fn the_host_s_table() {
    let schema = Schema::parse("sample", include_str!("golden/sample.json")).unwrap();
    let order = "guest-none\nguest-quiet\nguest-later\nguest-report\nguest-state\nguest-word\n";
    compare("table.rs", &generate::command_table(&[schema], order).unwrap());
}

#[test]
fn every_argument_is_shown_or_secret_by_a_decision() {
    let schemas = bulkhead_schema::load_all().unwrap();
    let table = generate::argument_table(&schemas, include_str!("../audit.txt")).unwrap();
    let arguments = schemas.iter().flat_map(|schema| &schema.commands).flat_map(|command| &command.arguments);
    assert_eq!(table.matches("Argument {").count(), arguments.count());
    for secret in ["password", "buf-b64", "arg", "env", "input-data", "keys"] {
        assert!(!table.contains(&format!("name: \"{secret}\", secret: false")), "{secret} is shown");
    }
}

fn compare(name: &str, written: &str) {
    let path = format!("{}/tests/golden/{name}", env!("CARGO_MANIFEST_DIR"));
    if env::var_os("BLESS").is_some() {
        fs::write(&path, written).unwrap();
    }
    let golden = fs::read_to_string(&path).unwrap();
    let first = written.lines().zip(golden.lines()).position(|(new, old)| new != old);
    if let Some(index) = first {
        let line = |text: &str| text.lines().nth(index).unwrap_or_default().to_owned();
        panic!("{path}:{}: expected\n{}\nfound\n{}", index + 1, line(&golden), line(written));
    }
    assert_eq!(written, golden, "one is longer than the other");
}
