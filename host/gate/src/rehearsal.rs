//! Gates behind which nothing happens, for the owner's questions and for who writes a module.

use crate::judgement::Judge;
use crate::{Gate, Policy};
use bulkhead_sys::{Linux, Notes, Rehearsal, System};
use std::rc::Rc;

impl Gate {
    /// A gate with `policy` in force, in front of this machine, which it looks at and does not touch. At each of
    /// `mount_points` there is a file system on a disk; `notes` tell what else was taken to be there. See [`Rehearsal`].
    ///
    /// Its judgements are exact, and kept until [`Gate::rehearsed`] takes them.
    pub fn rehearsal(policy: Rc<Policy>, mount_points: Vec<String>, notes: Notes) -> Self {
        Gate::pretending(policy, Box::new(Rehearsal::new(Linux, mount_points, notes)))
    }

    /// The same, but files are really read, and what is not there is not taken to be there.
    pub fn reading(policy: Rc<Policy>) -> Self {
        Gate::pretending(policy, Box::new(Rehearsal::new(Linux, Vec::new(), Notes::default()).that_reads()))
    }

    /// The same in front of a system that only pretends.
    pub fn pretending(policy: Rc<Policy>, system: Box<dyn System>) -> Self {
        let gate = Gate { judge: Judge::of_rehearsals(), ..Gate::new(system, None, Rc::clone(&policy)) };
        gate.set_policy(policy);
        gate
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Refusal, Standing};
    use bulkhead_catalog::Capability;
    use bulkhead_policy::Document;

    #[test]
    fn judgements_are_exact_and_kept_and_nothing_happens() {
        let rules = "version = 1\n[[permit]]\ncapability = \"freezer\"\nmodules = [\"filesystem\"]\n\
                     mount-points = [\"/no/such/disk\"]\nreason = \"x\"\n";
        let document = Document::parse("test", rules, &[], &["filesystem"]).unwrap();
        let policy = Policy::merge([document], &[], &["filesystem"]).unwrap();
        let gate = Gate::rehearsal(Rc::new(policy), vec!["/no/such/disk".to_owned()], Notes::default());
        gate.begin(Standing::default());
        assert_eq!(gate.freeze("filesystem", b"/no/such/disk", None), Ok(()), "it is only pretended");
        assert_eq!(gate.freeze("filesystem", b"/other", None), Err(Refusal::Denied));
        let judgements = gate.end();
        assert_eq!(gate.rehearsed(), judgements);
        assert!(judgements.list[0].permit.as_ref().is_some_and(|permit| permit.contains("\"/no/such/disk\"")));
        let denied = &judgements.list[1];
        assert!(!denied.allowed);
        assert_eq!((denied.module.as_str(), denied.capability), ("filesystem", Capability::Freezer));
        assert!(gate.rehearsed().list.is_empty(), "each time once");
    }
}
