//! `bulkhead-agent`, which also answers as `qemu-ga`: from the command line to a running agent.

use anyhow::Context;
use bulkhead_broker::auditing::Audit;
use bulkhead_broker::logging::{self, LogHold, NOTICE};
use bulkhead_broker::policy_files::{Loaded, PolicyFiles, is_drop_in};
use bulkhead_broker::rulings::{Lists, name_fault};
use bulkhead_broker::state::State;
use bulkhead_broker::{Broker, SharedBroker};
use bulkhead_catalog::commands::COMMANDS;
use bulkhead_config::{Action, Config, Known, Method, PidFile, dump, parse, passed_sockets};
use bulkhead_gate::Gate;
use bulkhead_host::additions::Additions;
use bulkhead_host::agent::{Agent, Ends, open_transport};
use bulkhead_host::bounds::limits;
use bulkhead_host::dispatcher::Dispatcher;
use bulkhead_host::installed::Swapping;
use bulkhead_host::reloading::{Reloading, hang_ups, questions};
use bulkhead_host::running::{Announced, InForce, Report, audit_limits, log_limits};
use bulkhead_host::runtime::Runtime;
use bulkhead_host::transport::Transport;
use bulkhead_host::{QEMU_VERSION, VERSION};
use bulkhead_os::code;
use bulkhead_os::process::{
    Daemon, Daemonized, close_standard_streams, daemonize, hear_signals, hold_ends, hold_hang_ups,
};
use bulkhead_store::{DEFAULT_STORE, Store};
use bulkhead_sys::Linux;
use std::cell::RefCell;
use std::path::{PathBuf, absolute};
use std::process::ExitCode;
use std::rc::Rc;
use tokio::signal::unix::Signal;

fn main() -> ExitCode {
    match start() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{}: {error:#}", program());
            ExitCode::FAILURE
        }
    }
}

fn program() -> String {
    let name = std::env::args_os().next();
    name.map_or_else(|| "bulkhead-agent".to_owned(), |name| name.to_string_lossy().into_owned())
}

fn start() -> anyhow::Result<ExitCode> {
    let known = Known { command_fault: &name_fault, is_drop_in: is_drop_in(&program()) };
    match parse(std::env::args_os(), |name| std::env::var_os(name), &known)? {
        Action::Help(text) => print!("{text}"),
        Action::Version => println!("QEMU Guest Agent {QEMU_VERSION} (Bulkhead {VERSION})"),
        Action::DumpConfig(config) => print!("{}", dump(&config)),
        Action::ListCommands => COMMANDS.iter().for_each(|command| println!("{}", command.name)),
        Action::Run(config) => return run(with_absolute_paths(config)?),
    }
    Ok(ExitCode::SUCCESS)
}

/// A daemon's working directory is `/`: what was named before must still be found.
fn with_absolute_paths(mut config: Config) -> anyhow::Result<Config> {
    config.statedir = absolute(&config.statedir)?;
    config.pidfile = absolute(&config.pidfile)?;
    config.logfile = config.logfile.map(absolute).transpose()?;
    config.fsfreeze_hook = config.fsfreeze_hook.map(absolute).transpose()?;
    config.policy = config.policy.map(absolute).transpose()?;
    config.module_store = config.module_store.map(absolute).transpose()?;
    config.audit_file = config.audit_file.map(absolute).transpose()?;
    if let (Ok(Method::VirtioSerial | Method::IsaSerial), Some(path)) = (config.method(), &config.path) {
        // Opened again after a hang-up. The path was text and stays text.
        config.path = Some(absolute(path)?.to_string_lossy().into_owned());
    }
    Ok(config)
}

/// All that an agent needs to serve.
struct Start {
    config: Config,
    files: PolicyFiles,
    policy: Loaded,
    log: LogHold,
    state: State,
    transport: Transport,
    daemon: Option<Daemon>,
}

/// The means to hear what it is told by signals.
struct Signals {
    hang_up: Signal,
    questions: Signal,
    ends: Ends,
}

fn run(config: Config) -> anyhow::Result<ExitCode> {
    // A wish to read the policy again waits until there is somebody to heed it.
    hold_hang_ups().context("cannot hold signals back")?;
    let name = if is_drop_in(&program()) { "qemu-ga" } else { "bulkhead-agent" }.to_owned();
    let (file, verbose, limits) = (config.logfile.clone(), config.verbose, log_limits(&config));
    let log = logging::start(logging::Settings { file, verbose, name, limits })?;
    // Until it is known whether the disk that the log lies on can be written.
    log.hold();
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    may_run_code()?;
    // Without the policy that the owner wrote there is no agent: one with another policy is not what was asked for.
    let files = PolicyFiles::of(&program(), config.policy.as_deref());
    let policy = files.load().context("cannot take the policy")?;
    let state = State::open(&config.statedir)?;
    if !state.is_frozen() {
        log.open().with_context(|| format!("unable to open specified log file {:?}", config.logfile))?;
        log.release();
    }
    // Who sees the channel open may take the agent for ready, and tell it to stop.
    hold_ends().context("cannot hold signals back")?;
    let Some(transport) = open_transport(&config, passed_sockets(|name| std::env::var_os(name)))? else {
        return Ok(ExitCode::SUCCESS);
    };
    let daemonizes = config.daemonize;
    let start = Start { config, files, policy, log, state, transport, daemon: None };
    if !daemonizes {
        return serve(start);
    }
    match daemonize().context("cannot become a daemon")? {
        Daemonized::Parent(daemon) => {
            hear_signals().context("cannot wait for the daemon")?;
            Ok(if daemon.is_ready() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Daemonized::Daemon(daemon) => serve(Start { daemon: Some(daemon), ..start }),
    }
}

/// Asks before anybody believes that the agent works: where this is forbidden every command fails, each with a reason that leads
/// nowhere.
fn may_run_code() -> anyhow::Result<()> {
    code::may_make_executable().context(
        "the system lets no memory of the agent become machine code, and without that no command runs; in a unit of systemd it is \
         MemoryDenyWriteExecute=yes that forbids it, elsewhere a security module such as SELinux (execmem)",
    )
}

/// Runs the agent on a thread of its own, for a module's recursion must find a stack of a known size.
fn serve(start: Start) -> anyhow::Result<ExitCode> {
    bulkhead_os::memory::keep();
    let tokio = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
    let signals = {
        let _context = tokio.enter();
        Signals {
            hang_up: hang_ups().context("cannot wait for signals")?,
            questions: questions().context("cannot wait for signals")?,
            ends: Ends::new().context("cannot wait for signals")?,
        }
    };
    // Here, so that this thread takes them: the agent's own may be in the middle of a system call.
    hear_signals().context("cannot wait for signals")?;
    let thread = std::thread::Builder::new().name("agent".to_owned()).stack_size(limits::THREAD_STACK);
    // Where a filter forbids clone3(2) with EPERM instead of ENOSYS, the C library makes none.
    let agent = thread.spawn(move || serve_here(start, &tokio, signals)).context("cannot start a thread")?;
    match agent.join() {
        Ok(ended) => ended.map(|()| ExitCode::SUCCESS),
        Err(_) => anyhow::bail!("a bug in the agent has ended it; please report what the log says"),
    }
}

fn serve_here(start: Start, tokio: &tokio::runtime::Runtime, signals: Signals) -> anyhow::Result<()> {
    let Start { config, files, policy, log, state, transport, daemon } = start;
    let in_force = InForce::new(&program(), &config, &policy);
    let audit_limits = audit_limits(&config);
    let started = format!("Bulkhead {VERSION} serves as {}; policy: {}", in_force.program, in_force.policy());
    let lists = Lists { block: config.block_rpcs, allow: config.allow_rpcs };
    let gate = Gate::new(Box::new(Linux), config.fsfreeze_hook, Rc::new(policy.policy.clone()));
    // Where nothing can be written the warning of that is enough.
    let statedir = state.is_kept().then(|| config.statedir.clone());
    let broker = Rc::new(RefCell::new(Broker::new(gate, lists, state, log.clone())));
    let audit = Audit::new(config.audit_file, config.audit_journal, audit_limits);
    broker.borrow_mut().set_audit(audit.clone());
    let mut runtime = Runtime::new()?;
    runtime.record_calls_in(&config.statedir);
    tracing::debug!("modules run in their {} form", runtime.modules().form());
    let _pid_file = daemon.is_some().then(|| write_pid_file(config.pidfile, &broker)).transpose()?;
    audit.started(&policy.digest);
    let store = config.module_store.unwrap_or_else(|| DEFAULT_STORE.into());
    let announced = Announced::new(Report::new(files, &policy, store.clone(), in_force));
    if let Some(statedir) = statedir {
        announce(&announced, statedir, &broker);
    }
    let swapping = {
        let _context = tokio.enter();
        Swapping::new(&runtime, Rc::clone(&broker), Store::new(store), announced.clone())
    };
    let lineup = swapping.lineup();
    let last = Rc::clone(&broker);
    let additions = Additions::new(Rc::clone(&broker));
    let reloading = Reloading::new(signals.hang_up, Rc::clone(&broker), log.clone(), announced, Rc::clone(&lineup))
        .answers(signals.questions)
        .tells(additions.policy_read());
    let agent = Agent {
        transport,
        dispatcher: Dispatcher::new(runtime, broker).watched_by(lineup),
        retry: config.retry_path,
        reloading,
        swapping,
        additions,
        ends: signals.ends,
    };
    let served = tokio.block_on(agent.serve(|| {
        if let Some(daemon) = daemon {
            // What can go wrong has not, so there is nothing left to say on the terminal.
            if let Err(error) = close_standard_streams() {
                tracing::warn!("cannot leave the terminal: {error}");
            }
            log.standard_error_changed();
            daemon.ready();
        }
        tracing::info!(target: NOTICE, "{started}");
    }));
    audit.stopped();
    last.borrow_mut().close();
    log.finish();
    Ok(served?)
}

/// Tells in the state directory that this agent runs; while file systems are frozen, as soon as they are thawed.
fn announce(announced: &Announced, statedir: PathBuf, broker: &SharedBroker) {
    if !broker.borrow().is_frozen() {
        announced.begin(&statedir);
        return;
    }
    let announced = announced.clone();
    broker.borrow_mut().once_thawed(move || announced.begin(&statedir));
}

/// Where the pid file is kept open: its lock lasts as long.
type KeptPidFile = Rc<RefCell<Option<PidFile>>>;

/// Writes the pid file now or, if file systems are frozen, which may be the one it lies on, when they are thawed.
fn write_pid_file(path: PathBuf, broker: &SharedBroker) -> anyhow::Result<KeptPidFile> {
    let kept = KeptPidFile::default();
    if !broker.borrow().is_frozen() {
        kept.replace(Some(PidFile::create(path)?));
        return Ok(kept);
    }
    let later = Rc::clone(&kept);
    broker.borrow_mut().once_thawed(move || match PidFile::create(path) {
        Ok(file) => drop(later.replace(Some(file))),
        Err(error) => tracing::warn!("no pid file: {error}"),
    });
    Ok(kept)
}
