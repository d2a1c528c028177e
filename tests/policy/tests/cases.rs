//! The tables of cases that are in the repository come out as they say.

use bulkhead_policy::PROFILES;
use bulkhead_policy_tests::files;
use bulkhead_tools::policy::failures;

#[test]
fn every_case_comes_out_as_it_says() {
    let tables = [files("host/policy/cases", "cases"), files("host/dist/policies", "cases")].concat();
    let mut faults = Vec::new();
    for table in tables {
        match failures(&table) {
            Ok(failed) => faults.extend(failed),
            Err(error) => faults.push(format!("{error:#}")),
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_profile_has_a_table() {
    let tables = files("host/policy/cases", "cases");
    let names: Vec<_> = tables.iter().filter_map(|path| path.file_stem()?.to_str()).collect();
    for profile in PROFILES {
        assert!(names.contains(&profile.name), "host/policy/cases/{}.cases is missing", profile.name);
    }
}
