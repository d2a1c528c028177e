//! The sample configuration that is shipped must say what the code does.

use std::{ffi::OsString, fs, path::PathBuf};

use bulkhead_config::{Action, Config, Known, dump, parse};

const SAMPLE: &str = include_str!("../../dist/qemu-ga.conf");

#[test]
fn as_shipped_it_changes_nothing() {
    let shipped = read("shipped", SAMPLE);
    assert!(shipped.read_from.is_some());
    assert_eq!(Config { read_from: None, ..shipped }, Config::default());
}

#[test]
fn every_key_is_in_it_and_none_is_unknown() {
    let config = read("uncommented", &SAMPLE.lines().map(uncommented).collect::<Vec<_>>().join("\n"));
    assert_eq!(config.warnings, []);
    for line in dump(&config).lines().skip(1) {
        let key = line.split('=').next().unwrap();
        assert!(SAMPLE.contains(&format!("\n#{key}=")), "{key} is missing");
    }
}

#[test]
fn the_defaults_it_names_are_the_defaults() {
    let defaults = dump(&Config::default());
    let lines: Vec<_> = SAMPLE.lines().collect();
    let named: Vec<_> = lines.windows(2).filter(|pair| pair[0].starts_with("# default")).map(|pair| pair[1]).collect();
    assert_eq!(named.len(), 7);
    for line in named {
        assert!(defaults.contains(&format!("\n{}\n", uncommented(line))), "{line}");
    }
}

/// Without the `#` if there is a key behind it: prose has a blank there.
fn uncommented(line: &str) -> &str {
    line.strip_prefix('#').filter(|rest| rest.starts_with(|c: char| c.is_ascii_lowercase())).unwrap_or(line)
}

fn read(name: &str, text: &str) -> Config {
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("sample-{name}.conf"));
    fs::write(&file, text).unwrap();
    let known = Known { command_fault: &|_| None, is_drop_in: true };
    match parse(["bulkhead".into(), "-c".into(), OsString::from(&file)], |_| None, &known) {
        Ok(Action::Run(config)) => config,
        other => panic!("{other:?}"),
    }
}
