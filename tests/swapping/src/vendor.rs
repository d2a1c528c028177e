//! A vendor's module in two versions with code of their own, which the real tools have installed: version 1 answers with 1,
//! version 2 with 2.

use bulkhead_modules_tests::{ANSWER, Place};
use bulkhead_store::Store;
use bulkhead_test_support::{Agent, Reply, Scratch};
use std::path::Path;

/// The module.
pub const NAME: &str = "com.example.answer";

/// Its command.
pub const COMMAND: &str = ANSWER;

/// A place in which both versions are installed, and their digests; version 2 is current.
pub fn both_installed() -> (Place, [String; 2]) {
    let place = Place::new();
    for version in [1, 2] {
        place.install(&place.answers(version)).good();
    }
    let state = Store::new(place.store()).read().expect("the store can be read");
    let digest = |name: &str| {
        let version = state.modules[NAME].versions.iter().find(|version| version.manifest.version == name);
        version.expect("it was installed").digest.clone()
    };
    let digests = ["1.0", "2.0"].map(digest);
    (place, digests)
}

/// An agent with the store and the policy of `place`.
pub fn start(place: &Place, binary: &Path, scratch: Scratch, extra: &[&str]) -> Agent {
    let (policy, store) = (place.path("policy.toml"), place.store());
    let text = |path: &Path| path.to_str().expect("the tests' paths are UTF-8").to_owned();
    let (policy, store) = (text(&policy), text(&store));
    let own = ["--policy", &policy, "--module-store", &store];
    let arguments: Vec<&str> = own.into_iter().chain(extra.iter().copied()).collect();
    Agent::start_in(scratch, binary, &arguments, &[])
}

/// Makes an installed version the current one, with no tool in between.
pub fn choose(place: &Place, digest: &str) {
    let choose = |state: &mut bulkhead_store::State| {
        state.modules.get_mut(NAME).expect("the module is installed").current = Some(digest.to_owned());
        Ok(())
    };
    Store::new(place.store()).update("choose", choose).expect("the store takes a change");
}

/// The number that the module has answered with. An error is none.
pub fn number(reply: &Reply) -> u64 {
    reply.value["return"].as_u64().unwrap_or_else(|| panic!("no number: {}", reply.value))
}
