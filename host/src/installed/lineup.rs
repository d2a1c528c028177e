//! Which guest modules serve: the built-in ones, and those of the store that could be loaded.
//!
//! The table of modules and the list of commands change together, here and nowhere else, and only between two requests: one
//! that runs ends with the module that it began with. Handles and programs belong to the host and stay.
//!
//! An installed module that fails is withdrawn here, so that the very next request finds its predecessor. What the store must
//! know of it is kept until it is on record.

mod past;

use super::health::Health;
use super::load::Candidate;
use super::record::{Fact, Record};
use crate::briefly::now;
use crate::modules::{Installed, commands_of};
use crate::running::{LeftOut, ServingModule, Stage};
use crate::runtime::SharedModules;
use crate::runtime::under_way::{Death, SharedUnderWay};
use bulkhead_broker::SharedBroker;
use bulkhead_broker::logging::NOTICE;
use bulkhead_catalog::Capability;
use bulkhead_catalog::commands::{Catalog, interned};
use bulkhead_catalog::modules::is_built_in;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

/// The line-up, shared by the dispatcher, which tells how modules do, and by what reads the store.
pub type SharedLineup = Rc<RefCell<Lineup>>;

/// Which modules serve.
#[derive(Debug)]
pub struct Lineup {
    modules: SharedModules,
    broker: SharedBroker,
    under_way: SharedUnderWay,
    /// Why nothing is recorded, told once.
    unrecorded: Option<String>,
    /// The call in which the last agent has ended, until its module is about to serve and that is told.
    untold: Option<Death>,
    /// Those that are not built in.
    serving: BTreeMap<&'static str, Serving>,
    /// What of these was told of: digest and version.
    in_place: BTreeMap<&'static str, (String, String)>,
    left_out: Vec<LeftOut>,
    /// What is not on record yet.
    records: Vec<Record>,
    /// Counts what makes a reading of the store that is under way worthless.
    epoch: u64,
    wants_reading: bool,
    /// Whether there is something new to be told of.
    has_news: bool,
    is_woken: bool,
    waker: Option<Waker>,
}

/// An installed module that serves.
#[derive(Debug)]
struct Serving {
    candidate: Candidate,
    /// What serves when it is withdrawn; without one the built-in module, or none.
    next: Option<Candidate>,
    health: Health,
    /// In how many calls of it agents have ended.
    deaths: usize,
}

impl Serving {
    fn new((candidate, next): (Candidate, Option<Candidate>)) -> Self {
        let health = Health::new(candidate.version.proven);
        Serving { candidate, next, health, deaths: 0 }
    }

    fn digest(&self) -> &str {
        &self.candidate.version.digest
    }

    fn version(&self) -> &str {
        &self.candidate.version.manifest.version
    }
}

impl Lineup {
    /// The built-in modules alone, until the store was read.
    pub(crate) fn new(modules: SharedModules, broker: SharedBroker, under_way: SharedUnderWay) -> Self {
        Lineup {
            modules,
            broker,
            under_way,
            unrecorded: None,
            untold: None,
            serving: BTreeMap::new(),
            in_place: BTreeMap::new(),
            left_out: Vec::new(),
            records: Vec::new(),
            epoch: 0,
            wants_reading: false,
            has_news: false,
            is_woken: false,
            waker: None,
        }
    }

    /// The store shall be read again: it has changed, or the policy has.
    pub fn read_again(&mut self) {
        // What is read under another policy does not count.
        self.epoch += 1;
        self.store_changed();
    }

    /// The store shall be read again, for it may have changed. What is being read counts until then.
    pub(crate) fn store_changed(&mut self) {
        self.wants_reading = true;
        self.wake();
    }

    /// A command of `module` was answered, or the module was at fault: it did what `fault` says.
    pub(crate) fn told(&mut self, module: &'static str, command: &str, fault: Option<&str>) {
        let Some(serving) = self.serving.get_mut(module) else { return };
        let terms = self.broker.borrow().gate.policy().module(module);
        match fault {
            None if serving.health.is_proven() => {}
            None => {
                if serving.health.answered(&terms) {
                    let record = record(serving, Fact::Proven);
                    tracing::info!("module {} {} has come through its probation", record.module, record.version);
                    self.records.push(record);
                }
                self.has_news = true;
                self.wake();
            }
            Some(fault) => {
                if let Some(when) = serving.health.failed(&terms, Instant::now()) {
                    self.withdraw(module, &format!("the command {command} {fault}, {when}"));
                }
            }
        }
    }

    /// Takes a module away that must not run any more, and has the one before it serve again.
    fn withdraw(&mut self, module: &'static str, reason: &str) {
        let Some(serving) = self.serving.remove(module) else { return };
        if let Some(next) = self.successor(module, serving, reason) {
            self.serving.insert(module, next);
        }
        self.put_in_place(reason);
    }

    /// What serves after a version that must not run any more.
    fn successor(&mut self, name: &'static str, mut serving: Serving, reason: &str) -> Option<Serving> {
        let record = record(&serving, Fact::Withdrawn { reason: reason.to_owned(), since: now() });
        let next = serving.next.take().map(|next| Serving::new((next, None)));
        let after = match &next {
            Some(next) => format!("{} serves again", next.version()),
            None if is_built_in(name) => "the built-in module serves again".to_owned(),
            None => "its commands are gone".to_owned(),
        };
        tracing::error!("module {} {} is in quarantine, and {after}: {reason}", record.module, record.version);
        self.records.push(record);
        self.epoch += 1;
        next
    }

    /// From now on these serve, each with what comes after it.
    pub(crate) fn set(&mut self, chosen: Vec<(Candidate, Option<Candidate>)>, left_out: Vec<LeftOut>) {
        for it in &left_out {
            if !self.left_out.contains(it) {
                tracing::error!("module {} {} is left out: {}", it.module, it.version, it.why);
            }
        }
        self.left_out = left_out;
        if !chosen.is_empty() {
            self.open_record();
        }
        let mut before = std::mem::take(&mut self.serving);
        for pair in chosen {
            let mut serving = Serving::new(pair);
            let name = interned(&serving.candidate.version.manifest.name);
            // The same version goes on where it is, unless its probation has ended meanwhile.
            if let Some(old) = before.remove(name)
                && old.digest() == serving.digest()
                && !serving.health.is_proven()
            {
                (serving.health, serving.deaths) = (old.health, old.deaths);
                self.serving.insert(name, serving);
            } else if let Some(serving) = self.with_its_past(name, serving) {
                self.serving.insert(name, serving);
            }
        }
        self.put_in_place("the store");
    }

    /// Makes the table and the list of commands say what serves, in one step.
    fn put_in_place(&mut self, why: &str) {
        let begin = Instant::now();
        let installed: HashMap<&'static str, Installed> =
            self.serving.iter().map(|(name, serving)| (*name, installed(&serving.candidate))).collect();
        let mut commands = Vec::new();
        let mut modules = self.modules.borrow_mut();
        modules.set_installed(installed);
        for (name, Serving { candidate, .. }) in &self.serving {
            modules.set_ready(name, candidate.template.clone());
            commands.extend(commands_of(&candidate.version.manifest, &candidate.version.imports));
        }
        let serving = modules.serving();
        drop(modules);
        let mut broker = self.broker.borrow_mut();
        broker.set_catalog(Catalog::with(commands));
        broker.set_serving(serving);
        drop(broker);
        tracing::debug!("the modules were swapped in {} us", begin.elapsed().as_micros());
        self.clear_up();
        self.tell_changes(why);
        self.has_news = true;
        self.wake();
    }

    /// Closes the files of modules that are gone. Those of another version go on with it, and so they do with a built-in module.
    fn clear_up(&self) {
        let is_gone = |name: &&&'static str| !self.serving.contains_key(*name) && !is_built_in(name);
        for name in self.in_place.keys().filter(is_gone) {
            let closed = self.broker.borrow_mut().handles.close_all(name);
            if closed > 0 {
                tracing::info!("module {name} is gone, and {closed} files that it had open were closed");
            }
        }
    }

    /// Tells the log and the audit which modules are others now.
    fn tell_changes(&mut self, why: &str) {
        let known = |it: &Serving| (it.digest().to_owned(), it.version().to_owned());
        let now: BTreeMap<_, _> = self.serving.iter().map(|(name, serving)| (*name, known(serving))).collect();
        let before = std::mem::replace(&mut self.in_place, now);
        let names: BTreeSet<&'static str> = before.keys().chain(self.in_place.keys()).copied().collect();
        let broker = self.broker.borrow();
        for name in names {
            let (old, new) = (before.get(name), self.in_place.get(name));
            if old == new {
                continue;
            }
            let absent = if is_built_in(name) { "built in" } else { "none" };
            let version = |it: Option<&(String, String)>| it.map_or(absent, |(_, version)| version).to_owned();
            tracing::info!(target: NOTICE, "module {name}: {} serves now, before {}", version(new), version(old));
            let digest = |it: Option<&(String, String)>| it.map(|(digest, _)| digest.clone());
            broker.audit().module_changed(name, digest(old).as_deref(), digest(new).as_deref(), why);
        }
    }
}

/// What the task beside the requests needs to know.
impl Lineup {
    /// Waits until there is something to do.
    pub(crate) fn poll_woken(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if std::mem::take(&mut self.is_woken) {
            return Poll::Ready(());
        }
        self.waker = Some(context.waker().clone());
        Poll::Pending
    }

    fn wake(&mut self) {
        self.is_woken = true;
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// Whether the store is to be read again; not twice for one wish.
    pub(crate) fn take_wish(&mut self) -> bool {
        std::mem::take(&mut self.wants_reading)
    }

    /// Whether there is something new for [`Lineup::serving`] and [`Lineup::failed`] to tell; once.
    pub(crate) fn take_news(&mut self) -> bool {
        std::mem::take(&mut self.has_news)
    }

    /// A reading of the store that was begun under another number is worthless.
    pub(crate) fn epoch(&self) -> u64 {
        self.epoch
    }

    /// What is not on record yet.
    pub(crate) fn records(&self) -> &[Record] {
        &self.records
    }

    /// The first so many are on record now.
    pub(crate) fn recorded(&mut self, count: usize) {
        for record in self.records.drain(..count) {
            // Who lets it out again starts afresh.
            if matches!(record.fact, Fact::Withdrawn { .. }) {
                self.under_way.forget(&record.digest);
            }
        }
        self.has_news = true;
    }

    /// Whether any installed module serves.
    pub(crate) fn is_bare(&self) -> bool {
        self.serving.is_empty()
    }

    /// The installed modules that serve.
    pub(crate) fn serving(&self) -> Vec<ServingModule> {
        let broker = self.broker.borrow();
        let policy = broker.gate.policy();
        let tell = |(name, serving): (&&'static str, &Serving)| ServingModule {
            name: (*name).to_owned(),
            version: serving.version().to_owned(),
            digest: serving.digest().to_owned(),
            deaths: serving.deaths,
            stage: if serving.health.is_proven() {
                Stage::Proven
            } else {
                Stage::Probation { calls: serving.health.calls(), of: policy.module(name).probation }
            },
        };
        self.serving.iter().map(tell).collect()
    }

    /// Those that do not, though the owner wants them to; of those in quarantine the ones that are not on record yet.
    pub(crate) fn failed(&self) -> Vec<LeftOut> {
        let pending = self.records.iter().filter_map(|record| match &record.fact {
            Fact::Proven => None,
            Fact::Withdrawn { reason, .. } => Some(LeftOut {
                module: record.module.clone(),
                version: record.version.clone(),
                why: format!("{reason} (not on record yet)"),
            }),
        });
        self.left_out.iter().cloned().chain(pending).collect()
    }
}

fn record(serving: &Serving, fact: Fact) -> Record {
    let version = &serving.candidate.version;
    let (module, digest) = (version.manifest.name.clone(), version.digest.clone());
    Record { module, version: version.manifest.version.clone(), digest, fact }
}

/// What the table of modules has of a version that serves.
pub fn installed(candidate: &Candidate) -> Installed {
    let imports = candidate.version.imports.iter().filter_map(|name| Capability::named(name)).collect();
    Installed { component: candidate.component.clone(), digest: candidate.version.digest.as_str().into(), imports }
}

#[cfg(test)]
mod tests;
