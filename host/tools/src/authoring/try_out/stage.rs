//! Where a module is tried: the real dispatcher and runtime, with the module beside the built-in ones.

use crate::module::compiler::{Compiler, Description};
use crate::policy::condition;
use anyhow::{Context, bail};
use bulkhead_broker::logging::LogHold;
use bulkhead_broker::rulings::Lists;
use bulkhead_broker::state::State;
use bulkhead_broker::{Broker, SharedBroker};
use bulkhead_catalog::Capability;
use bulkhead_catalog::commands::{self, Catalog};
use bulkhead_gate::{Gate, Judgements};
use bulkhead_host::dispatcher::Dispatcher;
use bulkhead_host::modules::{self, Form, Installed};
use bulkhead_host::runtime::Runtime;
use bulkhead_protocol::{Framer, Limits, Message, SENTINEL};
use bulkhead_store::store::COMPONENT;
use serde_json::Value;
use std::cell::RefCell;
use std::collections::HashMap;
use std::io::{self, Write};
use std::path::Path;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A module on its stage.
pub(super) struct Stage {
    /// What the module says of itself, and what it imports.
    pub(super) module: Description,
    /// How long compiling and loading it took.
    pub(super) loaded_in: Duration,
    dispatcher: Dispatcher,
    broker: SharedBroker,
}

/// What came of a request.
#[derive(Debug)]
pub(super) struct Answer {
    /// What the client would read; nothing if success is not answered.
    pub(super) reply: Option<Value>,
    /// What the module asked for, in the order in which it did; the same once.
    pub(super) asked: Vec<Asked>,
    /// The lines that the owner would find in the log, those for developers included.
    pub(super) log: String,
    /// From the request's last byte to the reply's first.
    pub(super) time: Duration,
}

/// A use of a capability.
#[derive(Debug)]
pub(super) struct Asked {
    /// The capability and the values, as a permit has them: `system-files files = ["/proc/uptime"]`.
    pub(super) what: String,
    /// Whether the policy granted it.
    pub(super) granted: bool,
    /// How often.
    pub(super) times: u32,
}

impl Stage {
    /// Compiles the module in `file` and puts it on a stage.
    pub(super) fn open(file: &Path, compiler: Option<&Path>) -> anyhow::Result<Self> {
        let (compiler, component) = (Compiler::find(compiler)?, read(file)?);
        let begin = Instant::now();
        let module = compiler.describe(&component).with_context(|| file.display().to_string())?;
        module.manifest.check().with_context(|| file.display().to_string())?;
        let code = compiler.compile(&component, Form::detect()).with_context(|| file.display().to_string())?;
        let mut runtime = Runtime::new()?;
        let installed = Installed {
            component: modules::component(runtime.engine(), &code)
                .map_err(|error| anyhow::anyhow!("the module's code cannot be loaded: {error:#}"))?,
            digest: bulkhead_store::digest::of(&component).into(),
            imports: module.imports.iter().filter_map(|name| Capability::named(name)).collect(),
        };
        let name = commands::interned(&module.manifest.name);
        runtime.modules_mut().set_installed(HashMap::from([(name, installed)]));
        let gate = Gate::new(Box::new(bulkhead_sys::Fake::default()), None, Rc::default());
        let broker = Rc::new(RefCell::new(broker_of(gate, false, &module)));
        let dispatcher = Dispatcher::new(runtime, Rc::clone(&broker));
        Ok(Stage { loaded_in: begin.elapsed(), module, dispatcher, broker })
    }

    /// Puts what is behind the gate, and whether file systems are frozen. Nothing is left of what was before.
    pub(super) fn set(&mut self, gate: Gate, frozen: bool) {
        self.dispatcher.set_broker(broker_of(gate, frozen, &self.module));
    }

    /// Has the module answer a request: JSON, or the bare name of a command.
    pub(super) fn answer(&mut self, request: &str) -> anyhow::Result<Answer> {
        let message = message(request)?;
        let log = Log::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::DEBUG)
            .with_writer(move || writer.clone())
            .with_ansi(false)
            .with_target(false)
            .without_time();
        let begin = Instant::now();
        let reply = tracing::subscriber::with_default(subscriber.finish(), || self.dispatcher.answer(message));
        let time = begin.elapsed();
        // The agent's own replies are JSON, one of them behind the sentinel.
        let json = |bytes: Vec<u8>| serde_json::from_slice(bytes.strip_prefix(&[SENTINEL]).unwrap_or(&bytes));
        let reply = reply.map(|reply| json(reply.into_bytes())).transpose().context("the reply is not JSON")?;
        let asked = asked(&self.broker.borrow().gate.rehearsed());
        Ok(Answer { reply, asked, log: log.text(), time })
    }

    /// Has the module answer and tells only how long it took.
    pub(super) fn time(&mut self, request: &str) -> anyhow::Result<Duration> {
        let message = message(request)?;
        let begin = Instant::now();
        let reply = self.dispatcher.answer(message);
        let time = begin.elapsed();
        drop(reply);
        Ok(time)
    }
}

fn broker_of(gate: Gate, frozen: bool, module: &Description) -> Broker {
    let mut broker = Broker::new(gate, Lists::default(), State::unwritten(frozen), LogHold::new(None));
    broker.set_catalog(Catalog::with(modules::commands_of(&module.manifest, &module.imports)));
    broker
}

fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    let size = std::fs::metadata(file).with_context(|| format!("cannot read {}", file.display()))?.len();
    // As one that is installed. A slip, such as giving a disk image, is told and not read to its end.
    if size > COMPONENT {
        bail!("{} has {size} bytes, and a module has {COMPONENT} at the most", file.display());
    }
    std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))
}

fn message(request: &str) -> anyhow::Result<Message> {
    let request = request.trim();
    let text = match request.starts_with('{') {
        true => request.to_owned(),
        false => serde_json::json!({ "execute": request }).to_string(),
    };
    let mut framer = Framer::new(Limits::default());
    framer.push(text.as_bytes());
    match framer.next() {
        None => bail!("this is not a request: it has no end"),
        Some(Message::Rejected(rejected)) => bail!("this is not a request: {}", rejected.desc.escape_debug()),
        Some(request) => Ok(request),
    }
}

fn asked(judgements: &Judgements) -> Vec<Asked> {
    let what = |it: &bulkhead_gate::Judgement| match condition(it) {
        Some(values) => format!("{} {values}", it.capability),
        None => it.capability.to_string(),
    };
    judgements.list.iter().map(|it| Asked { what: what(it), granted: it.allowed, times: it.times }).collect()
}

/// Where the log of one request goes.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// The lines, without those that the dispatcher writes about every request: what became of it is told otherwise.
    fn text(&self) -> String {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let text = String::from_utf8_lossy(&bytes);
        text.lines().filter(|line| !line.contains("read data: ")).fold(String::new(), |text, line| text + line + "\n")
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
