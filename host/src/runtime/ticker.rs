//! The clock that lets the engine look at a running module.
//!
//! Compiled modules check the engine's epoch at every loop and call. A thread advances it while a request runs, and
//! sleeps for good when nothing has run for a while: an idle agent makes no wake-ups.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, Thread};
use std::time::Duration;
use wasmtime::Engine;

/// How often a running module is looked at.
const TICK: Duration = Duration::from_millis(50);

/// After so many ticks without a request the thread sleeps. Waking it costs a system call, so a busy client should
/// find it awake.
const TICKS_BEFORE_SLEEP: u32 = 20;

/// The clock. Its thread lives as long as the process.
#[derive(Debug)]
pub(super) struct Ticker {
    shared: Arc<Shared>,
    thread: Thread,
}

#[derive(Debug, Default)]
struct Shared {
    running: AtomicBool,
    asleep: AtomicBool,
}

impl Ticker {
    /// Starts the thread, asleep.
    pub(super) fn start(engine: &Engine) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let (engine, theirs) = (engine.clone(), Arc::clone(&shared));
        let handle = thread::Builder::new()
            .name("ticker".to_owned())
            .stack_size(64 * 1024)
            .spawn(move || theirs.tick(&engine))?;
        Ok(Ticker { shared, thread: handle.thread().clone() })
    }

    /// A request begins.
    pub(super) fn begin(&self) {
        self.shared.running.store(true, Ordering::SeqCst);
        // Either this sees that the thread sleeps, or the thread, about to sleep, sees that a request runs.
        if self.shared.asleep.load(Ordering::SeqCst) {
            self.thread.unpark();
        }
    }

    /// It has ended.
    pub(super) fn end(&self) {
        self.shared.running.store(false, Ordering::SeqCst);
    }
}

impl Shared {
    fn tick(&self, engine: &Engine) {
        loop {
            self.asleep.store(true, Ordering::SeqCst);
            while !self.running.load(Ordering::SeqCst) {
                thread::park();
            }
            self.asleep.store(false, Ordering::SeqCst);
            let mut idle = 0;
            while idle < TICKS_BEFORE_SLEEP {
                thread::sleep(TICK);
                if self.running.load(Ordering::SeqCst) {
                    idle = 0;
                    engine.increment_epoch();
                } else {
                    idle += 1;
                }
            }
            // Nothing has run for a while: what was kept for the next request is better used elsewhere.
            bulkhead_os::memory::give_back();
        }
    }
}
