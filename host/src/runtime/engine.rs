//! Running one request in a compartment of its own.

use super::memories::Memories;
use super::ready::{Instance, Ready};
use super::ticker::Ticker;
use super::under_way::{SharedUnderWay, UnderWay};
use crate::bounds::{Exceeded, limits};
use crate::capability::bindings::Offered;
use crate::capability::bindings::bulkhead::agent::types::CommandError;
use crate::capability::{Answered, Compartment, TookTooLong};
use crate::modules::{LoadError, Module, Modules};
use bulkhead_border::request::{Bounds, Fault, Runs, Timing};
use bulkhead_broker::SharedBroker;
use bulkhead_protocol::{NotOneValue, Request};
use nix::time::{ClockId, clock_gettime};
use std::cell::{Ref, RefCell, RefMut};
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};
use thiserror::Error;
use wasmtime::{Engine, Store, Trap, UpdateDeadline};

/// The engine, the modules and the clock.
#[derive(Debug)]
pub struct Runtime {
    engine: Engine,
    modules: SharedModules,
    ticker: Ticker,
    ready: Ready,
    used: Option<Used>,
    under_way: SharedUnderWay,
}

/// An instance that has answered. It does nothing any more, but clearing it away takes time, and its client waits.
struct Used {
    module: &'static str,
    bounds: Bounds,
    /// Whether the next one of its module is likely to be of use.
    was_good: bool,
    store: Store<Compartment>,
}

/// The modules, shared with what puts others in their places between two requests.
pub type SharedModules = Rc<RefCell<Modules>>;

impl std::fmt::Debug for Used {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Used").field("module", &self.module).field("was_good", &self.was_good).finish()
    }
}

/// Why there is no engine.
#[derive(Debug, Error)]
pub enum StartError {
    /// The engine does not take its configuration.
    #[error("cannot start the engine")]
    Engine(#[source] wasmtime::Error),
    /// The thread that watches running modules cannot be started.
    #[error("cannot start the ticker")]
    Ticker(#[source] std::io::Error),
}

/// Why a request has no answer of its module.
#[derive(Debug, Error)]
pub enum Failure {
    /// The module cannot be used at all.
    #[error(transparent)]
    Module(#[from] LoadError),
    /// No instance of it can be made, for a reason that is not its own: the VM is short of memory.
    #[error("no instance of module {module} can be made")]
    NoInstance {
        /// Which.
        module: &'static str,
        /// Why.
        source: wasmtime::Error,
    },
    /// It trapped, ran too long, asked for too much or broke the rules of an interface. Its own fault.
    #[error("module {module} failed")]
    Trapped {
        /// Which.
        module: &'static str,
        /// What happened.
        source: wasmtime::Error,
    },
    /// What it returned is no JSON value.
    #[error("module {module} returned something that is not one JSON value: {why}")]
    NotJson {
        /// Which.
        module: &'static str,
        /// What is wrong with it.
        why: NotOneValue,
    },
}

/// What a module answered.
pub type Outcome = Result<String, CommandError>;

impl Failure {
    /// Whose fault it is; what the module did in a few words, if it is to blame.
    pub(crate) fn fault(&self) -> Fault {
        match self {
            // Not for a server that is slow.
            Failure::Trapped { source, .. } if source.chain().any(|it| it.is::<TookTooLong>()) => Fault::Nobodys,
            Failure::Trapped { source, .. } => Fault::Modules(format!("failed ({})", source.root_cause())),
            Failure::NotJson { why: NotOneValue::DuplicateKey, .. } => {
                Fault::Modules("returned an object with the same key twice".to_owned())
            }
            Failure::NotJson { .. } => Fault::Modules("returned something that is not one JSON value".to_owned()),
            Failure::Module(_) => Fault::NotLoadable,
            Failure::NoInstance { .. } => Fault::Nobodys,
        }
    }
}

impl Runtime {
    /// An engine with the built-in modules.
    pub fn new() -> Result<Self, StartError> {
        let mut config = bulkhead_engine::config();
        config.with_host_memory(Arc::new(Memories::default()));
        crate::modules::code::configure(&mut config);
        let engine = Engine::new(&config).map_err(StartError::Engine)?;
        let ticker = Ticker::start(&engine).map_err(StartError::Ticker)?;
        let modules = Rc::new(RefCell::new(Modules::built_in()));
        let under_way = SharedUnderWay::default();
        Ok(Runtime { engine, modules, ticker, ready: Ready::default(), used: None, under_way })
    }

    /// From now on it is on record which installed module is at work, for the agent that follows in this state directory.
    pub fn record_calls_in(&mut self, statedir: &Path) {
        self.under_way = Rc::new(UnderWay::of_agents_in(statedir));
    }

    /// That record.
    pub(crate) fn under_way(&self) -> SharedUnderWay {
        Rc::clone(&self.under_way)
    }

    /// The engine, for tests that bring their own modules.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The modules.
    pub fn modules(&self) -> Ref<'_, Modules> {
        self.modules.borrow()
    }

    /// The modules, to put others in their places.
    pub fn modules_mut(&mut self) -> RefMut<'_, Modules> {
        self.modules.borrow_mut()
    }

    /// The modules, for who changes them while the runtime is at work elsewhere.
    pub fn shared_modules(&self) -> SharedModules {
        Rc::clone(&self.modules)
    }

    /// Has the module of a request that was opened answer it, in an instance that has answered nothing before and will answer
    /// nothing again. What the module appended to its reply and what the host remembers of the request come back whatever happened.
    pub fn run(
        &mut self,
        (number, runs): (u64, &Runs),
        broker: &SharedBroker,
        request: Request,
    ) -> (Result<Outcome, Failure>, Answered) {
        let (begin, module) = (Instant::now(), runs.module);
        self.used = None;
        let new = || Compartment::new(module, &runs.bounds, broker.clone());
        let got = self.modules.borrow_mut().get(&self.engine, module);
        let template = match got {
            Ok(template) => template,
            Err(error) => {
                let mut compartment = new();
                compartment.accept(request, number, runs);
                return (Err(error.into()), compartment.finish());
            }
        };
        self.ticker.begin();
        if let Some(digest) = &template.digest {
            self.under_way.begin(digest, request.execute());
        }
        let (mut store, exports) = match self.ready.take(&template, &runs.bounds) {
            Some(Instance { mut store, exports, .. }) => {
                store.set_epoch_deadline(1);
                store.data_mut().accept(request, number, runs);
                (store, Ok(exports))
            }
            None => {
                let mut store = self.store(new());
                store.data_mut().accept(request, number, runs);
                let exports = instance(&mut store, &template);
                (store, exports)
            }
        };
        if template.digest.is_some() {
            store.data_mut().is_installed();
        }
        let outcome = exports.and_then(|exports| call(&mut store, &exports, module, begin));
        self.has_ended(&template);
        let answered = store.data_mut().finish();
        self.used = Some(Used { module, bounds: runs.bounds.clone(), was_good: outcome.is_ok(), store });
        (outcome, answered)
    }

    /// Clears away what the last request has left, and makes an instance ready for the next one. Call it when nobody waits;
    /// [`Runtime::run`] needs it not.
    pub fn settle(&mut self, broker: &SharedBroker) {
        let Some(Used { module, bounds, was_good, store }) = self.used.take() else { return };
        drop(store);
        if !was_good {
            return;
        }
        let Ok(template) = self.modules.borrow_mut().get(&self.engine, module) else { return };
        let mut store = self.store(Compartment::new(module, &bounds, broker.clone()));
        self.ticker.begin();
        if let Some(digest) = &template.digest {
            self.under_way.begin(digest, "");
        }
        let made = instance(&mut store, &template);
        self.has_ended(&template);
        // Should it fail, the next request finds out why.
        if let Ok(exports) = made {
            self.ready.put(Instance::new(store, exports, template, bounds));
        }
    }

    /// Nothing of the module runs any more.
    fn has_ended(&self, module: &Module) {
        self.ticker.end();
        if module.digest.is_some() {
            self.under_way.end();
        }
    }

    fn store(&self, compartment: Compartment) -> Store<Compartment> {
        let mut store = Store::new(&self.engine, compartment);
        store.limiter(|compartment| &mut compartment.bounds);
        store.set_hostcall_fuel(limits::CALL_BYTES);
        store.set_max_component_handles(limits::COMPONENT_HANDLES);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|mut context| check_time(context.data_mut()));
        store
    }
}

fn instance(store: &mut Store<Compartment>, module: &Module) -> Result<Offered, Failure> {
    let name = module.name;
    module.template.instantiate(store).map_err(|source| {
        // Only a module that asks for more than it may have, or traps as it starts, has itself to thank for it.
        if source.is::<Trap>() || source.is::<Exceeded>() {
            Failure::Trapped { module: name, source }
        } else {
            Failure::NoInstance { module: name, source }
        }
    })
}

fn call(
    store: &mut Store<Compartment>,
    exports: &Offered,
    module: &'static str,
    begin: Instant,
) -> Result<Outcome, Failure> {
    let (command, arguments) = (store.data().command().to_owned(), store.data().argument_text());
    let ready = Instant::now();
    let outcome = exports.bulkhead_agent_handler().call_handle(&mut *store, &command, &arguments);
    store.data_mut().timing = Timing { instance: ready - begin, call: ready.elapsed(), host: Duration::ZERO };
    outcome.map_err(|source| Failure::Trapped { module, source })
}

/// Called at every tick while a module runs. Counted is the processor time of this thread and not the time that passes:
/// a module does not pay for a slow disk, nor for a VM that is not given its processor.
fn check_time(compartment: &mut Compartment) -> wasmtime::Result<UpdateDeadline> {
    let now = processor_time()?;
    let used = now.saturating_sub(*compartment.started.get_or_insert(now));
    compartment.bounds.check_time(used, compartment.moved())?;
    Ok(UpdateDeadline::Continue(1))
}

fn processor_time() -> wasmtime::Result<Duration> {
    let time = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID)?;
    Ok(Duration::from(time))
}
