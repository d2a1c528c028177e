use super::*;
use bulkhead_broker::auditing;
use bulkhead_broker::children;
use bulkhead_broker::counts::Counts;
use bulkhead_broker::policy_files::PolicyFiles;
use bulkhead_broker::rulings::Lists;
use bulkhead_host::running::LeftOut;
use bulkhead_host::running::{InForce, ServingModule, Stage, Told};
use bulkhead_store::Quarantine;
use bulkhead_test_support::Scratch;

fn status(agent: Option<(i32, Option<Report>)>) -> Status {
    let quarantine = Quarantine {
        module: "com.example.bad".to_owned(),
        version: "3".to_owned(),
        reason: "the command __com.example_x failed (unreachable), in call 1 of its probation of 20".to_owned(),
        since: 1_700_000_000,
    };
    let mut installed = State::default();
    installed.quarantine.insert("ee".repeat(32), quarantine);
    let (frozen, changes) = (false, Changes::default());
    Status { agent, frozen, changes, store: "/store".into(), installed: Ok(installed) }
}

fn report() -> Report {
    let stage = Stage::Probation { calls: 3, of: 20 };
    Report {
        version: "0.1.0".to_owned(),
        since: 1_700_000_000,
        store: "/store".into(),
        modules: vec![ServingModule {
            name: "file".into(),
            version: "2".into(),
            digest: "ab".repeat(32),
            stage,
            deaths: 0,
        }],
        failed: Vec::new(),
        files: PolicyFiles::of("bulkhead-agent", None),
        digest: "cd".repeat(32),
        reloads: 0,
        refused: Some("policy.toml:1:1: no".to_owned()),
        in_force: Some(InForce {
            program: "qemu-ga".to_owned(),
            policy_since: 1_700_000_000,
            profile: Some("full".to_owned()),
            lists: Lists { block: vec!["guest-exec".to_owned()], allow: Vec::new() },
            warnings: vec!["something is odd".to_owned()],
            audit_file: Some("/var/log/bulkhead/audit.jsonl".into()),
            ..InForce::default()
        }),
        told: Some(Told {
            number: 1,
            at: 1_700_000_000,
            counts: Counts { requests: 9.into(), refused: 2.into(), ..Counts::default() },
            audit: Some(auditing::Figures { written: 8, left_out: 1, ..auditing::Figures::default() }),
            programs: children::Figures { known: 2, held: 3072, most: 64 << 20 },
            ..Told::default()
        }),
    }
}

fn said(status: &Status) -> String {
    let mut out = Vec::new();
    status.write(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn a_person_is_told_all_of_it() {
    let text = said(&status(Some((7, Some(report())))));
    assert_eq!(
        text,
        format!(
            "agent: version 0.1.0, process 7, since 2023-11-14T22:13:20Z\n\
             started as: qemu-ga\n\
             policy: profile full, no file\n  \
             in force since 2023-11-14T22:13:20Z, SHA-256 {}\n  \
             the last reload was refused: policy.toml:1:1: no\n\
             block-rpcs: guest-exec\n\
             warning: something is odd\n\
             requests: 9, of which 2 were refused, 0 were denied something, 0 failed in their module; 0 messages were not requests \
             (as of 2023-11-14T22:13:20Z)\n\
             programs: 2 are known, 3 KiB of their input and output held of 64 MiB at most\n\
             audit: /var/log/bulkhead/audit.jsonl (64 MiB and as much in .old); 256 KiB a minute of each kind of line\n  \
             8 lines written, 0 counted as repeated, 1 left out because they came too fast, 0 lost\n\
             log: standard error; 120 lines a minute of one origin\n  \
             0 lines written, 0 counted as repeated, 0 left out because they came too fast, 0 lost while frozen\n\
             modules: /store\n  file 2: serves, in the place of the built-in module, on probation, 3 of 20 calls\n  \
             com.example.bad 3: in quarantine since 2023-11-14T22:13:20Z: the command __com.example_x failed \
             (unreachable), in call 1 of its probation of 20\n",
            "cd".repeat(32)
        )
    );
    assert!(said(&status(None)).starts_with("agent: none runs\nmodules: /store\n"));
}

#[test]
fn an_agent_that_says_less_is_told_of_too() {
    let text = said(&status(Some((7, Some(Report { in_force: None, told: None, ..report() })))));
    assert!(text.contains(&format!("\npolicy: {} (from /etc/bulkhead/policy.toml)\n", "cd".repeat(32))), "{text}");
    let text = said(&Status { frozen: true, ..status(Some((7, None))) });
    assert!(text.starts_with("agent: process 7, which says nothing of itself\n"), "{text}");
}

#[test]
fn a_module_is_told_of_once() {
    let left_out = |module: &str, why: &str| LeftOut { module: module.into(), version: "3".into(), why: why.into() };
    let failed = vec![left_out("com.example.bad", "it failed (not on record yet)"), left_out("com.example.odd", "why")];
    let text = said(&status(Some((7, Some(Report { failed, ..report() })))));
    assert_eq!(text.matches("com.example.bad").count(), 1, "{text}");
    assert!(text.contains("com.example.odd 3: left out: why"), "{text}");
}

#[test]
fn a_program_is_told_the_same_in_words_and_numbers() {
    let json = status(Some((7, Some(report())))).json();
    let at = |pointer: &str| json.pointer(pointer).cloned().unwrap_or_else(|| panic!("{pointer}: {json:#}"));
    assert_eq!(
        (at("/agent/pid"), at("/agent/started-as"), at("/agent/frozen")),
        (json!(7), json!("qemu-ga"), json!(false))
    );
    assert_eq!(
        (at("/policy/profile"), at("/policy/files"), at("/policy/changed")),
        (json!("full"), json!([]), json!(false))
    );
    assert_eq!(at("/policy/refused"), "policy.toml:1:1: no");
    assert_eq!(
        (at("/configuration/block-rpcs"), at("/configuration/warnings/0")),
        (json!(["guest-exec"]), json!("something is odd"))
    );
    assert_eq!(
        (at("/figures/requests"), at("/figures/audit/left-out"), at("/figures/audit/size")),
        (json!(9), json!(1), json!(64 << 20))
    );
    assert_eq!(at("/figures/programs"), json!({ "known": 2, "held": 3072, "most": 64 << 20 }));
    assert_eq!(
        (at("/modules/0/state"), at("/modules/0/calls"), at("/modules/0/of")),
        (json!("probation"), json!(3), json!(20))
    );
    assert_eq!((at("/modules/0/digest"), at("/modules/0/serves")), (json!("ab".repeat(32)), json!(true)));
    assert_eq!((at("/modules/1/name"), at("/modules/1/state")), (json!("com.example.bad"), json!("quarantine")));
    assert_eq!(at("/modules/1/since"), 1_700_000_000);
    assert_eq!(status(None).json().pointer("/agent"), Some(&Value::Null));
}

#[test]
fn what_has_changed_since_is_told() {
    let scratch = Scratch::new("changed");
    let policy = scratch.file("policy.toml", "version = 1\nprofile = \"report\"\n");
    let configuration = scratch.file("qemu-ga.conf", "[general]\n");
    let files = PolicyFiles::of("bulkhead-agent", Some(&policy));
    let loaded = files.load().unwrap();
    let config = bulkhead_config::Config { read_from: Some(configuration.clone()), ..Default::default() };
    let report = Report::new(files, &loaded, "/store".into(), InForce::new("bulkhead-agent", &config, &loaded));
    let told = || {
        let status = Status { changes: Changes::since(&report), ..status(Some((7, Some(report.clone())))) };
        (said(&status), status.json().pointer("/policy/changed").cloned().unwrap())
    };
    assert!(!told().0.contains("CHANGED"), "{}", told().0);
    // It says the same in other words.
    std::fs::write(&policy, "# A remark.\nversion = 1\nprofile = \"report\"\n").unwrap();
    assert!(!told().0.contains("CHANGED"), "{}", told().0);
    std::fs::write(&policy, "version = 1\nprofile = \"full\"\n").unwrap();
    let expected = format!("  CHANGED since: {}; to put it in force: bulkhead policy reload\n", policy.display());
    assert!(told().0.contains(&expected), "{}", told().0);
    assert_eq!(told().1, json!(true));
    std::fs::write(&policy, "version = 2\n").unwrap();
    assert!(told().0.contains("  CHANGED since, and could not be read again: "), "{}", told().0);
    std::fs::write(&configuration, "[general]\nverbose=1\n").unwrap();
    assert!(
        told().0.contains(&format!("configuration: {} has CHANGED since", configuration.display())),
        "{}",
        told().0
    );
}
