//! The store is read again when it changes, and what serves is swapped.

use super::errand::Errand;
use super::lineup::{Lineup, SharedLineup};
use super::load::{Found, Loaded, Loader};
use super::recompile;
use super::record::put_on_record;
use crate::running::Announced;
use crate::runtime::Runtime;
use bulkhead_broker::{SharedBroker, thawed};
use bulkhead_store::Store;
use bulkhead_watch::FolderWatch;
use std::cell::RefCell;
use std::convert::Infallible;
use std::future::{pending, poll_fn};
use std::rc::Rc;
use std::time::Duration;
use tokio::time::{Instant, sleep_until, timeout};

/// How long the first request waits for installed modules. It bounds a store on a disk that hangs: then the built-in modules
/// serve alone until it answers. To read a dozen modules takes some ten milliseconds.
const START: Duration = Duration::from_secs(2);

/// When to try again to put on record what the store could not take. It bounds how often an agent wakes whose store lies on a
/// read-only disk; a change of the store or a SIGHUP has it tried at once.
const RETRY: Duration = Duration::from_secs(60);

/// What reads the store, and tells it what became of its modules.
#[derive(Debug)]
pub struct Swapping {
    lineup: SharedLineup,
    broker: SharedBroker,
    store: Store,
    reader: Reader,
    announced: Announced,
    watch: Option<FolderWatch>,
    /// What is done at the store; one thing at a time.
    errand: Option<Errand<Done>>,
    compiling: Option<Errand<Result<(), String>>>,
    /// Code is made anew once: if that does not help, it will not help again.
    has_compiled: bool,
    wants_code: bool,
    /// What was read, and under which number; it may have to wait for a thaw.
    read: Option<(u64, Loaded)>,
    /// When to try the records again.
    retry: Option<Instant>,
    /// What is wrong with the store, told once.
    trouble: Option<String>,
}

/// What the loader needs of the runtime.
#[derive(Debug)]
struct Reader {
    engine: wasmtime::Engine,
    form: crate::modules::Form,
}

/// What an errand has done.
#[derive(Debug)]
enum Done {
    Read(u64, Loaded),
    Recorded(usize, Result<(), String>),
}

/// What woke the task.
enum Woken {
    Wish,
    StoreChanged(std::io::Result<()>),
    Done(Option<Done>),
    Compiled(Option<Result<(), String>>),
    Retry,
    Thawed,
}

impl Swapping {
    /// For the modules of `runtime`, with those that are installed in `store`. Needs tokio's context.
    pub fn new(runtime: &Runtime, broker: SharedBroker, store: Store, announced: Announced) -> Self {
        let lineup = Lineup::new(runtime.shared_modules(), Rc::clone(&broker), runtime.under_way());
        let lineup = Rc::new(RefCell::new(lineup));
        let reader = Reader { engine: runtime.engine().clone(), form: runtime.modules().form() };
        let watch = FolderWatch::new().inspect_err(|error| {
            tracing::error!("changes of {} will be seen after a SIGHUP only: {error}", store.root().display());
        });
        Swapping {
            lineup,
            broker,
            store,
            reader,
            announced,
            watch: watch.ok(),
            errand: None,
            compiling: None,
            has_compiled: false,
            wants_code: false,
            read: None,
            retry: None,
            trouble: None,
        }
    }

    /// The line-up, for the dispatcher.
    pub fn lineup(&self) -> SharedLineup {
        Rc::clone(&self.lineup)
    }

    /// Reads the store for the first time and waits for it, but not for long. Also while file systems are frozen: nothing
    /// serves yet that could be disturbed, and reading writes nothing.
    pub async fn begin(&mut self) {
        self.begin_reading();
        match timeout(START, maybe(&mut self.errand)).await {
            Ok(done) => {
                self.end_errand(done);
                self.take_what_was_read();
            }
            Err(_) => tracing::error!(
                "{} cannot be read within {} s: without installed modules until it can",
                self.store.root().display(),
                START.as_secs()
            ),
        }
    }

    /// Does it for ever.
    pub async fn run(mut self) -> Infallible {
        loop {
            if !self.broker.borrow().is_frozen() {
                self.step();
            }
            match self.woken().await {
                Woken::Wish | Woken::Thawed => {}
                Woken::Retry => self.retry = None,
                Woken::StoreChanged(Ok(())) => {
                    self.retry = None;
                    self.lineup.borrow_mut().store_changed();
                }
                Woken::StoreChanged(Err(error)) => {
                    tracing::error!("changes of the store will be seen after a SIGHUP only: {error}");
                    self.watch = None;
                }
                Woken::Done(done) => self.end_errand(done),
                Woken::Compiled(ended) => self.end_compiling(ended),
            }
        }
    }

    async fn woken(&mut self) -> Woken {
        let is_frozen = self.broker.borrow().is_frozen();
        let (lineup, broker) = (&self.lineup, &self.broker);
        tokio::select! {
            () = poll_fn(|context| lineup.borrow_mut().poll_woken(context)) => Woken::Wish,
            () = thawed(broker), if is_frozen => Woken::Thawed,
            changed = async { match &self.watch { Some(watch) => watch.changed().await, None => pending().await } } => {
                Woken::StoreChanged(changed)
            }
            done = maybe(&mut self.errand) => Woken::Done(done),
            ended = maybe(&mut self.compiling) => Woken::Compiled(ended),
            () = async { match self.retry { Some(at) => sleep_until(at).await, None => pending().await } } => Woken::Retry,
        }
    }

    /// Does what can be done now.
    fn step(&mut self) {
        self.take_what_was_read();
        if self.lineup.borrow_mut().take_news() {
            let (modules, failed) = (self.lineup.borrow().serving(), self.lineup.borrow().failed());
            self.announced.change(|report| (report.modules, report.failed) = (modules, failed));
        }
        if self.errand.is_none() && self.retry.is_none() && !self.lineup.borrow().records().is_empty() {
            self.begin_recording();
        }
        if self.errand.is_none() && self.lineup.borrow_mut().take_wish() {
            self.begin_reading();
        }
        if self.wants_code && !self.has_compiled {
            self.has_compiled = true;
            let store = self.store.root().to_owned();
            tracing::warn!("modules are compiled anew for this agent");
            self.compiling = begin(move || recompile::recompile(&store));
        }
    }

    fn begin_reading(&mut self) {
        let lineup = self.lineup.borrow();
        let loader = Loader {
            store: self.store.clone(),
            engine: self.reader.engine.clone(),
            form: self.reader.form,
            policy: (*self.broker.borrow().gate.policy()).clone(),
            records: lineup.records().to_vec(),
            aim: self.watch.as_ref().map(FolderWatch::aim),
        };
        let epoch = lineup.epoch();
        self.errand = begin(move || Done::Read(epoch, loader.run()));
    }

    fn begin_recording(&mut self) {
        let (store, records) = (self.store.clone(), self.lineup.borrow().records().to_vec());
        self.errand = begin(move || {
            let (count, result) = put_on_record(&store, &records);
            Done::Recorded(count, result)
        });
    }

    fn end_errand(&mut self, done: Option<Done>) {
        self.errand = None;
        match done {
            Some(Done::Read(epoch, loaded)) => self.read = Some((epoch, loaded)),
            Some(Done::Recorded(count, result)) => {
                self.lineup.borrow_mut().recorded(count);
                if let Err(why) = result {
                    self.retry = Some(Instant::now() + RETRY);
                    tracing::error!("not on record yet, and tried again in {} s: {why}", RETRY.as_secs());
                }
            }
            None => tracing::error!("a bug has ended the reading of the store: please report what the log says"),
        }
    }

    fn end_compiling(&mut self, ended: Option<Result<(), String>>) {
        self.compiling = None;
        match ended {
            Some(Ok(())) => self.lineup.borrow_mut().store_changed(),
            Some(Err(why)) => tracing::error!("{why}"),
            None => tracing::error!("a bug has ended the compiling of modules: please report what the log says"),
        }
    }

    /// Has serve what was read, if it still counts.
    fn take_what_was_read(&mut self) {
        let Some((epoch, loaded)) = self.read.take() else { return };
        let mut lineup = self.lineup.borrow_mut();
        if epoch != lineup.epoch() {
            // A module has failed meanwhile, or the policy is another one.
            lineup.store_changed();
            return;
        }
        let trouble = match loaded {
            Loaded::Found(Found { chosen, left_out, wants_code }) => {
                self.wants_code = wants_code;
                lineup.set(chosen, left_out);
                None
            }
            Loaded::Unreadable(why) => Some(why),
            Loaded::Nothing if lineup.is_bare() => None,
            Loaded::Nothing => Some(format!("{} is gone", self.store.root().display())),
        };
        if let Some(why) = trouble.as_ref().filter(|why| self.trouble.as_ref() != Some(why)) {
            tracing::error!("the modules stay what they are: {why}");
        }
        self.trouble = trouble;
    }
}

/// Begins an errand. Without a thread it is not done, and the next wish tries again.
fn begin<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<Errand<T>> {
    Errand::begin(work).inspect_err(|error| tracing::error!("cannot start a thread for the store: {error}")).ok()
}

/// Waits for an errand; for ever, if there is none.
async fn maybe<T: Send + 'static>(errand: &mut Option<Errand<T>>) -> Option<T> {
    match errand {
        Some(errand) => errand.await,
        None => pending().await,
    }
}
