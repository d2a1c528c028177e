//! Line-ups of versions of the module `core`, without a running agent.

use super::*;
use crate::installed::of_store;
use crate::installed::samples::{REPLACE, Shop, policy, version};
use crate::runtime::Runtime;
use bulkhead_broker::Broker;
use bulkhead_broker::logging::LogHold;
use bulkhead_broker::rulings::Lists;
use bulkhead_broker::state::State;
use bulkhead_gate::{Caps, Gate, Notes, Opened};
use bulkhead_store::Version;
use std::path::Path;

const FAULT: &str = "failed (unreachable)";

/// A line-up with nothing but built-in modules, and what makes candidates for it.
struct Scene {
    runtime: Runtime,
    lineup: Lineup,
}

impl Scene {
    fn new() -> Self {
        Self::of(Runtime::new().unwrap())
    }

    /// Of an agent with this state directory.
    fn in_folder(folder: &Path) -> Self {
        let mut runtime = Runtime::new().unwrap();
        runtime.record_calls_in(folder);
        Self::of(runtime)
    }

    fn of(runtime: Runtime) -> Self {
        let gate = Gate::rehearsal(Rc::new(policy(REPLACE)), Vec::new(), Notes::default());
        let broker = Broker::new(gate, Lists::default(), State::unwritten(false), LogHold::new(None));
        let lineup = Lineup::new(runtime.shared_modules(), Rc::new(RefCell::new(broker)), runtime.under_way());
        Scene { runtime, lineup }
    }

    /// A version that can serve.
    fn candidate(&self, version: Version) -> Candidate {
        let shop = Shop::new(&[version], self.runtime.engine());
        let form = self.runtime.modules().form();
        let (mut found, left_out) =
            of_store(&shop.store, self.runtime.engine(), form, policy(REPLACE)).expect("the store can be read");
        assert_eq!(left_out, []);
        found.remove(0)
    }

    fn set(&mut self, first: Version, next: Option<Version>) {
        let pair = (self.candidate(first), next.map(|next| self.candidate(next)));
        self.lineup.set(vec![pair], Vec::new());
    }

    fn told(&mut self, fault: Option<&str>) {
        self.lineup.told("core", "guest-ping", fault);
    }

    /// The digest of what runs as `core`.
    fn serves(&self) -> String {
        self.runtime.modules().digest("core").unwrap().to_string()
    }

    /// The digests of what is to be put on record as withdrawn.
    fn withdrawn(&self) -> Vec<&str> {
        let records = self.lineup.records().iter();
        records.filter(|it| it.fact != Fact::Proven).map(|it| it.digest.as_str()).collect()
    }
}

fn proven(counter: u64) -> Version {
    Version { proven: true, ..version(counter) }
}

#[test]
fn one_failure_in_its_probation_and_the_version_before_serves() {
    let mut scene = Scene::new();
    let built_in = scene.serves();
    scene.set(version(2), Some(version(1)));
    let epoch = scene.lineup.epoch();
    scene.told(Some(FAULT));
    assert_eq!(scene.serves(), version(1).digest, "it is another one at once");
    assert_eq!(scene.withdrawn(), [version(2).digest]);
    assert_ne!(scene.lineup.epoch(), epoch, "what was read before does not bring it back");
    let Fact::Withdrawn { reason, .. } = &scene.lineup.records()[0].fact else { panic!() };
    assert_eq!(reason, "the command guest-ping failed (unreachable), in call 1 of its probation of 2");
    // The one before is on probation as well, and after it comes the built-in module.
    scene.told(Some(FAULT));
    assert_eq!(scene.serves(), built_in);
    assert_eq!(scene.withdrawn(), [version(2).digest, version(1).digest]);
    scene.told(Some(FAULT));
    assert_eq!(scene.withdrawn().len(), 2, "a built-in module is not withdrawn");
}

#[test]
fn who_has_come_through_it_may_fail_as_often_as_the_policy_says() {
    let mut scene = Scene::new();
    scene.set(version(2), Some(version(1)));
    scene.told(None);
    scene.told(None);
    let facts: Vec<_> = scene.lineup.records().iter().map(|it| it.fact.clone()).collect();
    assert_eq!(facts, [Fact::Proven], "it has, and that is put on record once");
    scene.told(Some(FAULT));
    assert_eq!((scene.serves(), scene.withdrawn().len()), (version(2).digest, 0));
    scene.told(Some(FAULT));
    assert_eq!(scene.serves(), version(1).digest);
    assert_eq!(scene.withdrawn(), [version(2).digest]);
}

#[test]
fn a_reading_that_finds_the_same_version_does_not_begin_its_probation_anew() {
    let mut scene = Scene::new();
    scene.set(version(1), None);
    scene.told(None);
    scene.set(version(1), None);
    assert_eq!(scene.lineup.serving()[0].stage, Stage::Probation { calls: 1, of: 2 });
    scene.set(proven(1), None);
    assert_eq!(scene.lineup.serving()[0].stage, Stage::Proven, "the owner or the last agent has said so");
    scene.told(Some(FAULT));
    scene.set(version(2), None);
    scene.told(Some(FAULT));
    assert_eq!(scene.withdrawn(), [version(2).digest], "another version has a probation of its own");
}

#[test]
fn what_is_not_on_record_yet_is_told_until_it_is() {
    let mut scene = Scene::new();
    scene.set(version(1), None);
    scene.told(Some(FAULT));
    let failed = scene.lineup.failed();
    assert!(failed.len() == 1 && failed[0].why.ends_with("(not on record yet)"), "{failed:?}");
    scene.lineup.recorded(0);
    assert_eq!(scene.lineup.records().len(), 1, "it is tried again");
    scene.lineup.recorded(1);
    assert!(scene.lineup.records().is_empty() && scene.lineup.failed().is_empty());
}

/// A state directory, for one agent after the other.
struct Folder(std::path::PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::path::PathBuf::from(format!("/dev/shm/bulkhead-lineup-{name}-{}", std::process::id()));
        std::fs::create_dir(&path).unwrap();
        Folder(path)
    }

    /// An agent with this line-up is killed in the middle of a call.
    fn dies(&self, first: Version) {
        let mut scene = Scene::in_folder(&self.0);
        let digest = first.digest.clone();
        scene.set(first, Some(version(1)));
        assert_eq!(scene.serves(), digest);
        scene.runtime.under_way().begin(&digest, "guest-ping");
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_call_in_which_an_agent_has_ended_is_a_failure() {
    let folder = Folder::new("probation");
    folder.dies(version(2));
    let mut scene = Scene::in_folder(&folder.0);
    scene.set(version(2), Some(version(1)));
    assert_eq!(scene.serves(), version(1).digest);
    assert_eq!(scene.withdrawn(), [version(2).digest]);
    let Fact::Withdrawn { reason, .. } = &scene.lineup.records()[0].fact else { panic!() };
    assert_eq!(reason, "an agent has ended while it answered the command guest-ping, in call 1 of its probation of 2");
    // Should the store never hear of it, the next agent knows all the same.
    drop(scene);
    let mut scene = Scene::in_folder(&folder.0);
    scene.set(version(2), Some(version(1)));
    assert_eq!(scene.serves(), version(1).digest);
    // Once it has, whoever lets the version out again starts afresh.
    scene.lineup.recorded(1);
    scene.set(version(2), Some(version(1)));
    assert_eq!(scene.serves(), version(2).digest);
}

#[test]
fn such_failures_are_counted_from_one_agent_to_the_next() {
    let folder = Folder::new("strikes");
    folder.dies(proven(2));
    folder.dies(proven(2));
    let mut scene = Scene::in_folder(&folder.0);
    scene.set(proven(2), Some(version(1)));
    assert_eq!(scene.serves(), version(1).digest);
    let Fact::Withdrawn { reason, .. } = &scene.lineup.records()[0].fact else { panic!() };
    assert!(reason.ends_with("guest-ping, which is 2 failures within 600 s"), "{reason}");
}

#[test]
fn one_such_failure_of_a_proven_version_is_told_and_counts_with_those_that_come() {
    let folder = Folder::new("proven");
    folder.dies(proven(2));
    let mut scene = Scene::in_folder(&folder.0);
    scene.set(proven(2), Some(version(1)));
    assert_eq!((scene.serves(), scene.lineup.serving()[0].deaths), (version(2).digest, 1));
    scene.set(proven(2), Some(version(1)));
    scene.told(Some(FAULT));
    assert_eq!(scene.serves(), version(1).digest, "the second one, of another kind");
}

#[test]
fn the_files_of_a_module_that_is_gone_are_closed() {
    let mut scene = Scene::new();
    let open = |scene: &Scene, name| {
        let opened = Opened { file: std::fs::File::open("/dev/null").unwrap().into(), caps: Caps::default() };
        scene.lineup.broker.borrow_mut().handles.insert(interned(name), 1000, opened);
    };
    let has = |scene: &Scene, name| scene.lineup.broker.borrow().handles.get(name, 1000).is_ok();
    let mut vendors = scene.candidate(version(1));
    vendors.version.manifest.name = "com.example.x".to_owned();
    vendors.version.manifest.commands.clear();
    scene.lineup.set(vec![(vendors, None)], Vec::new());
    open(&scene, "com.example.x");
    scene.lineup.set(Vec::new(), Vec::new());
    assert!(!has(&scene, "com.example.x"));
    // One in the place of a built-in module leaves them to that.
    scene.set(version(1), None);
    open(&scene, "core");
    scene.lineup.set(Vec::new(), Vec::new());
    assert!(has(&scene, "core"));
}

#[test]
fn a_death_in_a_call_of_another_version_is_not_its_failure() {
    let folder = Folder::new("another");
    folder.dies(version(3));
    let mut scene = Scene::in_folder(&folder.0);
    scene.set(version(2), Some(version(1)));
    assert_eq!((scene.serves(), scene.withdrawn().len()), (version(2).digest, 0));
}
