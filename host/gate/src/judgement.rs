//! Asking the policy, and remembering what it said.

use crate::{Errno, Gate, Refusal};
use bulkhead_catalog::Capability;
use bulkhead_policy::{Asks, Grant, Origin, Policy, Verdict, permit_for};
use bulkhead_sys::Thing;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

/// How many judgements of one request are remembered. An honest request is judged a few times, one that reads system
/// files hundreds of times by the same rule, which counts once; it bounds what a module that tries everything costs.
const REMEMBERED: usize = 16;

/// How many of a rehearsed request are, where each value is a judgement of its own: a report on a machine with hundreds of
/// disks reads some thousand files. A megabyte or two, for as long as an owner's tool looks at one request.
const REMEMBERED_EXACTLY: usize = 4096;

/// How long a permit may be that is written down for the owner, in bytes. One with the longest path there is (4 KiB) fits, its
/// odd characters escaped; it bounds what a client that asks for names of a megabyte puts into log and audit.
const PERMIT: usize = 16 * 1024;

/// How the gate treats the request under way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// What the policy denies is done nevertheless, and remembered as denied.
    pub observe: bool,
    /// File systems are frozen: whatever a thaw needs is allowed.
    pub frozen: bool,
    /// Judgements tell exactly what was asked for, arguments of programs included. For the owner's own questions.
    pub exact: bool,
}

/// Why something is denied that no rule could allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beyond {
    /// File systems are frozen, and it may wait for a disk.
    Frozen,
    /// It is on no list of what the agent gives such a module.
    List,
}

/// What the policy said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// To whom.
    pub module: String,
    /// About what.
    pub capability: Capability,
    /// Whether it permits it.
    pub allowed: bool,
    /// The rule that decided; none if no rule permits it.
    pub rule: Option<Origin>,
    /// The permit that would allow just this; see [`permit_for`]. Only of what was denied, or if the standing is `exact`; and
    /// only if it is not longer than any that an owner would write.
    pub permit: Option<String>,
    /// Why it was denied whatever rules say; nothing if rules decided.
    pub beyond: Option<Beyond>,
    /// How often.
    pub times: u32,
}

/// What the policy said during one request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Judgements {
    /// In order, as far as they are remembered; the same once.
    pub list: Vec<Judgement>,
    /// How many more there were.
    pub forgotten: u32,
    /// The time that judging took.
    pub time: Duration,
}

/// The policy in force, and the request under way.
#[derive(Debug, Default)]
pub(crate) struct Judge {
    policy: RefCell<Rc<Policy>>,
    standing: Cell<Standing>,
    judgements: RefCell<Judgements>,
    /// What the policy said during the last request, if requests are only rehearsed.
    rehearsed: Option<RefCell<Judgements>>,
}

impl Judge {
    /// For requests that are only rehearsed: judgements are exact, and kept.
    pub(crate) fn of_rehearsals() -> Self {
        Judge { rehearsed: Some(RefCell::default()), ..Judge::default() }
    }
}

impl Gate {
    /// The policy in force.
    pub fn policy(&self) -> Rc<Policy> {
        Rc::clone(&self.judge.policy.borrow())
    }

    /// Puts a policy in force, for all that is asked from now on.
    pub fn set_policy(&self, policy: Rc<Policy>) {
        self.judge.policy.replace(policy);
    }

    /// A request begins.
    pub fn begin(&self, standing: Standing) {
        let exact = standing.exact || self.judge.rehearsed.is_some();
        self.judge.standing.set(Standing { exact, ..standing });
        self.renew();
        self.judge.judgements.take();
    }

    /// A request ends; what the policy said meanwhile. What comes between two requests is judged without mercy.
    pub fn end(&self) -> Judgements {
        self.judge.standing.take();
        self.renew();
        let judgements = self.judge.judgements.take();
        if let Some(rehearsed) = &self.judge.rehearsed {
            rehearsed.replace(judgements.clone());
        }
        judgements
    }

    /// Forgets what a request has used up, and what it has begun.
    fn renew(&self) {
        self.allowance.renew();
        self.mounts.take();
    }

    /// What the policy said during the last request, if it was rehearsed; each time once.
    pub fn rehearsed(&self) -> Judgements {
        self.judge.rehearsed.as_ref().map(RefCell::take).unwrap_or_default()
    }

    /// Whether the request under way came while file systems are frozen.
    pub(crate) fn is_frozen(&self) -> bool {
        self.judge.standing.get().frozen
    }

    /// Whether `module` may do with `capability` whatever it likes, so that nothing has to be found out first.
    pub(crate) fn is_unrestricted(&self, module: &str, capability: Capability) -> bool {
        self.judge.policy.borrow().is_unrestricted(module, capability.name())
    }

    /// Whether the policy permits `module` to use `capability` so, to choose between two ways that are both judged when one is
    /// taken. Not remembered: nothing was asked for.
    pub(crate) fn permits(&self, module: &str, capability: Capability, asks: &Asks<'_>) -> bool {
        self.judge.policy.borrow().judge(module, capability.name(), asks).allowed
    }

    /// Whether somebody asks what exactly it is that is done, also where everything is permitted.
    pub(crate) fn is_exact(&self) -> bool {
        self.judge.standing.get().exact
    }

    /// Whether what the policy denies is denied without looking closer: nobody asks what exactly it was, and it is not done all the
    /// same.
    pub(crate) fn denies_by_text(&self) -> bool {
        let Standing { observe, exact, .. } = self.judge.standing.get();
        !observe && !exact
    }

    /// Whether `module` may be told what the agent knows of itself. There is nothing to call behind it.
    pub fn tell(&self, module: &str) -> Result<(), Refusal<Errno>> {
        self.require(module, Capability::Agent, &[])
    }

    /// What rules that forbid `module` something of `capability` call `thing`, under `key`.
    pub(crate) fn also<'a>(
        &self,
        policy: &'a Policy,
        (module, capability, key): (&str, Capability, &str),
        thing: Thing<'_>,
    ) -> Vec<&'a str> {
        let names = policy.forbidden(module, capability.name(), key);
        if names.is_empty() {
            return names;
        }
        self.system.same(thing, &names).into_iter().filter_map(|position| names.get(position).copied()).collect()
    }

    /// Asks whether `module` may do something with what it has open that may wait for a disk. No policy is asked: it was when
    /// that was opened.
    pub fn use_open(&self, module: &str) -> Result<(), Refusal<Errno>> {
        if !self.is_frozen() {
            return Ok(());
        }
        self.require(module, Capability::Files, &[])
    }

    /// Denies what is on no list of the agent's, whatever the policy said of it, and remembers it.
    pub(crate) fn refuse<E>(&self, module: &str, capability: Capability, asks: &Asks<'_>) -> Refusal<E> {
        let Judge { standing, judgements, .. } = &self.judge;
        let exact = standing.get().exact;
        let permit = Some(permit_for(module, capability.name(), asks, exact)).filter(|permit| permit.len() <= PERMIT);
        let most = if exact { REMEMBERED_EXACTLY } else { REMEMBERED };
        let verdict = Verdict { allowed: false, rule: None };
        judgements.borrow_mut().remember(most, module, capability, &verdict, (permit, Some(Beyond::List)));
        Refusal::Denied
    }

    /// Asks whether `module` may use `capability` so.
    pub(crate) fn require<E>(&self, module: &str, capability: Capability, asks: &Asks<'_>) -> Result<(), Refusal<E>> {
        self.settings(module, capability, asks, |_| ())
    }

    /// Asks the same, and takes from the rule that permits it how it is to be done. There is no such rule for what is only
    /// observed.
    pub(crate) fn settings<T, E>(
        &self,
        module: &str,
        capability: Capability,
        asks: &Asks<'_>,
        take: impl FnOnce(Option<&Grant>) -> T,
    ) -> Result<T, Refusal<E>> {
        let begin = Instant::now();
        let Judge { policy, standing, judgements, .. } = &self.judge;
        let (policy, standing) = (policy.borrow(), standing.get());
        let frozen = standing.frozen && capability.waits_for_a_thaw();
        let verdict = match frozen {
            true => Verdict { allowed: false, rule: None },
            false => policy.judge(module, capability.name(), asks),
        };
        let mut judgements = judgements.borrow_mut();
        let wanted = !frozen && (!verdict.allowed || standing.exact);
        let permit = wanted.then(|| match verdict.allowed {
            true => permit_for(module, capability.name(), asks, standing.exact),
            false => policy.permit_for(module, capability.name(), asks, standing.exact),
        });
        let permit = permit.filter(|permit| permit.len() <= PERMIT);
        let most = if standing.exact { REMEMBERED_EXACTLY } else { REMEMBERED };
        let beyond = frozen.then_some(Beyond::Frozen);
        judgements.remember(most, module, capability, &verdict, (permit, beyond));
        judgements.time += begin.elapsed();
        if verdict.allowed {
            Ok(take(verdict.rule))
        } else if standing.observe && !frozen {
            Ok(take(None))
        } else {
            Err(Refusal::Denied)
        }
    }
}

impl Judgements {
    fn remember(
        &mut self,
        most: usize,
        module: &str,
        capability: Capability,
        verdict: &Verdict<'_>,
        (permit, beyond): (Option<String>, Option<Beyond>),
    ) {
        let (allowed, rule) = (verdict.allowed, verdict.rule.map(|rule| &rule.origin));
        let same = |it: &&mut Judgement| {
            (it.capability, it.allowed, it.beyond, it.rule.as_ref()) == (capability, allowed, beyond, rule)
                && it.module == module
                && it.permit == permit
        };
        if let Some(known) = self.list.iter_mut().find(same) {
            known.times = known.times.saturating_add(1);
        } else if self.list.len() < most {
            let (module, rule) = (module.to_owned(), rule.cloned());
            self.list.push(Judgement { module, capability, allowed, rule, permit, beyond, times: 1 });
        } else {
            self.forgotten = self.forgotten.saturating_add(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use bulkhead_policy::Ask;
    use bulkhead_sys::Fake;

    const RULES: &str = "[[permit]]\ncapability = \"power\"\nmodules = [\"power\"]\nmodes = [\"reboot\", \"halt\"]\n\
                         reason = \"x\"\n[[forbid]]\ncapability = \"power\"\nmodes = [\"halt\"]\nreason = \"y\"\n";

    fn ask(gate: &Gate, word: &str) -> bool {
        gate.require::<crate::Errno>("power", Capability::Power, &[("modes", Ask::Words(&[word]))]).is_ok()
    }

    #[test]
    fn what_was_said_is_remembered_with_the_rule_that_said_it() {
        let gate = testing::with(&Fake::default(), RULES);
        gate.begin(Standing::default());
        assert!(ask(&gate, "reboot") && ask(&gate, "reboot") && !ask(&gate, "halt") && !ask(&gate, "suspend-ram"));
        let told = gate.end();
        let lines: Vec<_> = told.list.iter().map(|it| it.rule.as_ref().map(|rule| rule.line)).collect();
        assert_eq!(lines, [Some(2), Some(7), None]);
        let [reboot, halt, sleep] = told.list.as_slice() else { panic!("{told:?}") };
        assert_eq!((reboot.allowed, reboot.times, reboot.permit.as_deref()), (true, 2, None));
        assert!(!halt.allowed && !sleep.allowed);
        let permit = "capability = \"power\"\nmodules = [\"power\"]\nmodes = [\"suspend-ram\"]\nreason = \"\"\n";
        assert_eq!(sleep.permit.as_deref(), Some(permit));
        assert_eq!(gate.end(), Judgements::default(), "it is told once");
    }

    #[test]
    fn what_is_only_observed_is_done_and_remembered_as_denied() {
        let gate = testing::with(&Fake::default(), RULES);
        gate.begin(Standing { observe: true, ..Standing::default() });
        assert!(ask(&gate, "halt") && ask(&gate, "suspend-ram"));
        assert!(gate.end().list.iter().all(|judgement| !judgement.allowed));
        assert!(!ask(&gate, "halt"), "and only for the one request");
    }

    #[test]
    fn while_frozen_nothing_is_granted_that_may_wait_for_a_disk() {
        let gate = testing::full(&Fake::default());
        for observe in [false, true] {
            gate.begin(Standing { frozen: true, observe, ..Standing::default() });
            for capability in Capability::ALL.iter().filter(|it| it.waits_for_a_thaw()) {
                for module in bulkhead_catalog::modules::names() {
                    let denied = gate.require::<crate::Errno>(module, *capability, &[]);
                    assert!(denied.is_err(), "{module} {capability}, observe: {observe}");
                }
            }
            assert!(gate.use_open("file").is_err(), "nor what was opened before");
            let told = gate.end();
            let beyond = |it: &Judgement| it.beyond == Some(Beyond::Frozen);
            assert!(told.list.iter().all(|it| beyond(it) && !it.allowed && it.permit.is_none() && it.rule.is_none()));
        }
        assert!(gate.use_open("file").is_ok());
        gate.begin(Standing { frozen: true, ..Standing::default() });
        for (module, capability) in [("report", Capability::Network), ("time", Capability::Clock)] {
            assert!(gate.require::<crate::Errno>(module, capability, &[]).is_ok(), "{module} {capability}");
        }
    }

    #[test]
    fn a_module_that_tries_everything_is_not_remembered_for_ever() {
        let gate = testing::with(&Fake::default(), "");
        gate.begin(Standing::default());
        for number in 0..100 {
            let asks = [("processors", Ask::Number(number))];
            assert!(gate.require::<crate::Errno>("hotplug", Capability::Hotplug, &asks).is_err());
        }
        let told = gate.end();
        assert_eq!((told.list.len(), told.forgotten), (REMEMBERED, 84));
    }

    #[test]
    fn what_nobody_would_write_is_not_written_down() {
        let gate = testing::with(&Fake::default(), "");
        gate.begin(Standing::default());
        for length in [4096, 1 << 20] {
            let path = vec![b'/'; length];
            let asks = [("mount-points", Ask::Path(&path))];
            assert!(gate.require::<crate::Errno>("filesystem", Capability::Freezer, &asks).is_err());
        }
        let written: Vec<_> = gate.end().list.iter().map(|judgement| judgement.permit.is_some()).collect();
        assert_eq!(written, [true, false]);
    }
}
