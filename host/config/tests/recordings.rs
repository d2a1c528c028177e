//! Replays what `qemu-ga` was recorded to answer on the command line.
//!
//! The recordings are shared by several projects and lie next to this repository; without them there is nothing to
//! replay, and the test says so.

use std::{
    collections::HashMap,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

use bulkhead_config::{Action, Known, dump, parse};
use serde_json::Value;

/// A recorded start of the agent.
struct Recording {
    name: String,
    argv: Vec<OsString>,
    env: HashMap<String, OsString>,
    exit: i64,
    stdout: Vec<u8>,
}

#[test]
fn the_command_line_is_read_as_recorded() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/conformance/qemu-ga-11.1.3.jsonl");
    let Ok(text) = fs::read_to_string(&path) else {
        println!("skipped: no recordings at {}", path.display());
        return;
    };
    let work = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("recordings");
    let mut replayed = 0;
    for line in text.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        if line["profile"] == "cli" {
            let recording = prepare(&line, &work);
            replay(&recording);
            replayed += 1;
        }
    }
    fs::remove_dir_all(&work).unwrap();
    assert!(replayed >= 40, "only {replayed} recordings of the command line");
}

fn replay(recording: &Recording) {
    let Recording { name, argv, env, exit, stdout } = recording;
    let words = [OsString::from("qemu-ga")].into_iter().chain(argv.iter().cloned());
    let known = Known { command_fault: &|_| None, is_drop_in: true };
    let result = parse(words, |variable| env.get(variable).cloned(), &known);
    match (exit, result) {
        (0, Ok(Action::DumpConfig(config))) => {
            assert_eq!(dump(&config), String::from_utf8_lossy(stdout), "{name}");
        }
        // What these print is the binary's own; that they were asked for must be recognised.
        (0, Ok(Action::Version)) => assert!(name.starts_with("cli-version"), "{name}"),
        (0, Ok(Action::Help(_))) => assert!(name.starts_with("cli-help"), "{name}"),
        (0, Ok(Action::ListCommands)) => assert!(stdout.starts_with(b"guest-"), "{name}"),
        (1, Err(_)) => {}
        // These failed later: the channel, the state directory or the state file was not there.
        (1, Ok(Action::Run(config))) => assert!(config.channel_path().is_ok(), "{name}"),
        (exit, result) => panic!("{name}: recorded exit status {exit}, now {result:?}"),
    }
}

/// Writes the configuration files of a recording, and puts their folder's name in the place that is left for it.
fn prepare(line: &Value, work: &Path) -> Recording {
    let _ = fs::remove_dir_all(work);
    fs::create_dir_all(work).unwrap();
    for (name, text) in line["conf_files"].as_object().into_iter().flatten() {
        fs::write(work.join(name), text.as_str().unwrap()).unwrap();
    }
    let resolved = |text: &Value| OsString::from(text.as_str().unwrap().replace("{dir}", work.to_str().unwrap()));
    let mut env = HashMap::from([("QGA_CONF".to_owned(), work.join("none.conf").into_os_string())]);
    let given = line["env"].as_object().into_iter().flatten();
    env.extend(given.map(|(name, value)| (name.clone(), resolved(value))));
    Recording {
        name: line["name"].as_str().unwrap().to_owned(),
        argv: line["argv"].as_array().unwrap().iter().map(resolved).collect(),
        env,
        exit: line["expect_exit"].as_i64().unwrap(),
        stdout: base64_simd::STANDARD.decode_to_vec(line["expect_b64"].as_str().unwrap()).unwrap(),
    }
}
