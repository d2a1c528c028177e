//! The JSON schema and the reader are of one mind.

use crate::dice::{COMMANDS, Dice, MODULES, POLICIES, file, read};
use crate::validator::{fault, json};
use bulkhead_policy::{Document, PROFILES, json_schema};
use serde_json::Value;
use std::fs;
use std::path::Path;

const ALL_MODULES: &[&str] = &["core", "file", "filesystem", "power", "exec", "report", "time", "hotplug", "account"];

fn all_commands() -> Vec<&'static str> {
    include_str!("../../../../schemas/commands.txt").lines().filter(|line| line.starts_with("guest-")).collect()
}

/// The schema in the repository, which is given to editors.
fn published() -> Value {
    serde_json::from_str(include_str!("../../../../schemas/policy.schema.json")).unwrap()
}

#[test]
fn every_policy_that_is_read_is_valid() {
    let schema = json_schema(COMMANDS, MODULES);
    let mut dice = Dice(0x5c4e3a);
    for _ in 0..POLICIES {
        let text = file(&dice.rules());
        assert_eq!(fault(&schema, &json(&text), ""), None, "{text}");
    }
}

#[test]
fn every_profile_is_valid() {
    let schema = published();
    for profile in PROFILES {
        assert_eq!(fault(&schema, &json(profile.text), profile.name), None);
    }
}

#[test]
fn the_tables_that_are_no_lists_are_valid_and_read_again() {
    let schema = published();
    for table in [
        "[network]\nexclude = [\"veth*\"]\nreason = \"x\"\n",
        "[network]\nprimary = [\"eth1\", \"eth0\"]\nexclude = [\"b\", \"a\"]\n",
        "[hotplug]\nonline = true\n",
        "[hotplug]\nonline = false\nreason = \"x\"\n",
    ] {
        let text = format!("version = 1\n{table}");
        assert_eq!(fault(&schema, &json(&text), ""), None, "{text}");
        let canonical = read(&text).canonical();
        assert_eq!(read(&canonical).canonical(), canonical);
        assert_eq!(read(&text.replace("reason = \"x\"\n", "")).canonical(), canonical, "the reason decides nothing");
    }
    let order = |names: &str| read(&format!("version = 1\n[network]\nprimary = [{names}]\n")).canonical();
    assert_ne!(order("\"a\", \"b\""), order("\"b\", \"a\""));
}

/// Those that are shipped, and tell an editor where the schema is.
#[test]
fn every_example_is_valid() {
    let (schema, dist) = (published(), Path::new(env!("CARGO_MANIFEST_DIR")).join("../dist"));
    let in_folder = fs::read_dir(dist.join("policies")).unwrap().map(|entry| entry.unwrap().path());
    let examples = in_folder.filter(|path| path.extension().is_some_and(|it| it == "toml"));
    let examples: Vec<_> = examples.chain([dist.join("policy.toml")]).collect();
    assert!(examples.len() > 3, "{examples:?}");
    for path in examples {
        let (text, name) = (fs::read_to_string(&path).unwrap(), path.display());
        assert_eq!(fault(&schema, &json(&text), &name.to_string()), None);
        assert!(
            text.starts_with("#:schema ") && text.lines().next().unwrap().ends_with("/policy.schema.json"),
            "{name}"
        );
    }
}

/// What both refuse: a schema that takes anything would have passed so far.
#[test]
fn what_the_schema_refuses_no_reader_takes() {
    let schema = published();
    let module = |lines: &str| format!("version = 1\n[[module]]\nreason = \"x\"\n{lines}\n");
    let permit = |lines: &str| format!("version = 1\n[[permit]]\nreason = \"x\"\n{lines}\n");
    for wrong in [
        "".to_owned(),
        "version = 2".to_owned(),
        "version = 1\nprofile = \"ful\"".to_owned(),
        "version = 1\ncolour = 1".to_owned(),
        "version = 1\n[permit]".to_owned(),
        "version = 1\n[[command]]\nmode = \"deny\"\nnames = []".to_owned(),
        "version = 1\n[[command]]\nmode = \"deny\"\nnames = [\"guest-pnig\"]".to_owned(),
        "version = 1\n[[command]]\nmode = \"maybe\"\nnames = [\"*\"]".to_owned(),
        "version = 1\n[[command]]\nmode = \"deny\"\nnames = [\"*\"]\nfaster-than = { calls = 0, seconds = 1 }"
            .to_owned(),
        "version = 1\n[[command]]\nmode = \"deny\"\nnames = [\"*\"]\nfaster-than = { calls = 1 }".to_owned(),
        "version = 1\n[[limit]]\nmodules = [\"file\"]".to_owned(),
        "version = 1\n[[limit]]\nmemory = \"lots\"".to_owned(),
        "version = 1\n[[limit]]\nhandles = 100001".to_owned(),
        "version = 1\n[[limit]]\nmodules = [\"com.*\"]\nhandles = 1".to_owned(),
        "version = 1\n[[command]]\nmode = \"deny\"\nnames = [\"__com_x\"]".to_owned(),
        module("replace = true"),
        module("names = [\"file\"]"),
        module("names = []\nreplace = true"),
        module("names = [\"fiel\"]\nreplace = true"),
        module("names = [\"com.Example\"]\nreplace = true"),
        module("names = [\"file\"]\nreplace = 1"),
        module("names = [\"file\"]\nprobation = -1"),
        module("names = [\"file\"]\nprobation = 10001"),
        module("names = [\"file\"]\nstrikes = { failures = 0, seconds = 1 }"),
        module("names = [\"file\"]\nstrikes = { failures = 1, seconds = 86401 }"),
        module("names = [\"file\"]\nstrikes = { failures = 1 }"),
        "version = 1\n[[module]]\nnames = [\"file\"]\nreplace = true".to_owned(),
        permit("capability = \"clock\"\nmodules = [\"com.exa mple\"]"),
        "version = 1\n[[forbid]]\ncapability = \"clock\"".to_owned(),
        "version = 1\n[[forbid]]\ncapability = \"files\"\nsize = \"1MiB\"\nreason = \"x\"".to_owned(),
        "version = 1\n[[forbid]]\ncapability = \"processes\"\nenvironment = []\nreason = \"x\"".to_owned(),
        permit("capability = \"clok\"\nmodules = [\"time\"]"),
        permit("capability = \"clock\""),
        permit("capability = \"clock\"\nmodules = [\"times\"]"),
        permit("capability = \"clock\"\nmodules = [\"time\"]\ntrees = [\"/\"]"),
        permit("capability = \"power\"\nmodules = [\"power\"]\nmodes = [\"off\"]"),
        permit("capability = \"power\"\nmodules = [\"power\"]"),
        permit("capability = \"files\"\nmodules = [\"file\"]\naccess = [\"read\"]\ntrees = [\"var\"]"),
        permit("capability = \"files\"\nmodules = [\"file\"]\naccess = [\"read\"]\ntrees = [\"/\"]\nlinks = 1"),
        permit("capability = \"freezer\"\nmodules = [\"filesystem\"]\nmount-points = [\"\"]"),
        permit("capability = \"clock-setting\"\nmodules = [\"time\"]\nstep = \"soon\""),
        permit("capability = \"hotplug\"\nmodules = [\"hotplug\"]\nprocessors = \"all\""),
        permit("capability = \"accounts\"\nmodules = [\"account\"]\nmay = [\"password\"]\nusers = [\"\"]"),
    ] {
        assert!(fault(&schema, &json(&wrong), "").is_some(), "the schema takes {wrong}");
        assert!(Document::parse("p", &wrong, &all_commands(), ALL_MODULES).is_err(), "the reader takes {wrong}");
    }
}
