//! Line-ups of versions of the module `core`, without a running agent.

use super::*;
use crate::commands::{Lists, find};
use crate::host_state::HostState;
use crate::logging::LogHold;
use crate::runtime::Runtime;
use crate::state::State;
use crate::swapping::of_store;
use crate::swapping::samples::{REPLACE, Shop, policy, version};
use bulkhead_gate::{Gate, Notes};
use bulkhead_store::Version;

const FAULT: &str = "failed (unreachable)";

/// A line-up with nothing but built-in modules, and what makes candidates for it.
struct Scene {
    runtime: Runtime,
    lineup: Lineup,
}

impl Scene {
    fn new() -> Self {
        let runtime = Runtime::new().unwrap();
        let gate = Gate::rehearsal(Rc::new(policy(REPLACE)), Vec::new(), Notes::default());
        let state = HostState::new(gate, Lists::default(), State::unwritten(false), LogHold::new(None));
        let lineup = Lineup::new(runtime.shared_modules(), Rc::new(RefCell::new(state)));
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
        self.lineup.told(find("guest-ping").unwrap(), fault);
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
