//! The agent: all parts joined, serving clients until it is told to stop.

use crate::additions::Additions;
use crate::dispatcher::Dispatcher;
use crate::installed::Swapping;
use crate::reloading::Reloading;
use crate::session;
use crate::tending::Tending;
use crate::transport::{Transport, TransportError};
use bulkhead_broker::SharedBroker;
use bulkhead_os::process::pause;
use std::io;
use std::time::Duration;
use thiserror::Error;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// How long to wait before a channel is opened again (option `-r`). qemu-ga's own.
pub const RETRY: Duration = Duration::from_secs(5);

/// An agent about to serve.
#[derive(Debug)]
pub struct Agent {
    /// Where clients come from.
    pub transport: Transport,
    /// What answers them.
    pub dispatcher: Dispatcher,
    /// Whether to open the channel again after an error.
    pub retry: bool,
    /// What reads the policy again.
    pub reloading: Reloading,
    /// What reads the store of modules, again and again.
    pub swapping: Swapping,
    /// What takes into use what is added to the machine.
    pub additions: Additions,
    /// What tells it to stop.
    pub ends: Ends,
}

/// Why an agent that was serving ended with an error.
#[derive(Debug, Error)]
pub enum AgentError {
    /// Programs that end, or print something, cannot be heard of.
    #[error("cannot look after programs")]
    Processes(#[source] io::Error),
    /// The listening socket takes no clients.
    #[error("cannot accept clients")]
    Listen(#[source] io::Error),
}

/// What became of a client.
enum Served {
    /// It came, and left.
    Left,
    /// The channel broke while it was there.
    Broken(io::Error),
    /// None can come.
    NoMore(io::Error),
}

impl Agent {
    /// Serves one client after the other. Ends well on SIGTERM and SIGINT, and when the channel is gone for good. Calls
    /// `ready` once nothing more can go wrong. Needs tokio's context.
    pub async fn serve(self, ready: impl FnOnce()) -> Result<(), AgentError> {
        let Agent { transport, dispatcher, retry, reloading, mut swapping, additions, ends } = self;
        let mut stop = Stop { ends, broker: dispatcher.broker().clone() };
        let tending = Tending::new(dispatcher.broker()).map_err(AgentError::Processes)?;
        swapping.begin().await;
        ready();
        tokio::select! {
            served = (Serving { transport, dispatcher, retry }).clients(&mut stop) => served,
            never = tending.run() => match never {},
            never = reloading.run() => match never {},
            never = swapping.run() => match never {},
            never = additions.run() => match never {},
        }
    }
}

/// What serves clients.
struct Serving {
    transport: Transport,
    dispatcher: Dispatcher,
    retry: bool,
}

impl Serving {
    async fn clients(mut self, stop: &mut Stop) -> Result<(), AgentError> {
        loop {
            let served = tokio::select! {
                biased;
                () = stop.wanted() => return Ok(()),
                served = self.one_client() => served,
            };
            self.transport.left();
            let error = match served {
                Served::Left => continue,
                Served::NoMore(error) if self.transport.is_listener() => return Err(AgentError::Listen(error)),
                Served::Broken(error) if self.transport.survives_errors() => {
                    tracing::debug!("channel: {error}");
                    continue;
                }
                Served::Broken(error) | Served::NoMore(error) => error,
            };
            tracing::error!("error reading channel: {error}");
            if !self.retry {
                return Ok(());
            }
            tracing::warn!("agent stopped unexpectedly, restarting...");
            tokio::select! {
                biased;
                () = stop.wanted() => return Ok(()),
                () = self.reopen() => {}
            }
        }
    }

    async fn one_client(&mut self) -> Served {
        let channel = match self.transport.client().await {
            Ok(channel) => channel,
            Err(error) => return Served::NoMore(error),
        };
        session::serve(channel, &mut self.dispatcher).await.map_or_else(Served::Broken, |()| Served::Left)
    }

    async fn reopen(&mut self) {
        loop {
            tokio::time::sleep(RETRY).await;
            match self.transport.reopen() {
                Ok(()) => return,
                Err(error) => report(&error),
            }
        }
    }
}

/// Opens the transport, again and again if `retry` says so; nothing if the agent is told to end meanwhile.
pub fn open_transport(config: &bulkhead_config::Config, passed: u32) -> Result<Option<Transport>, TransportError> {
    loop {
        match Transport::open(config, passed) {
            Err(error @ TransportError::Open { .. }) if config.retry_path => report(&error),
            other => return other.map(Some),
        }
        match pause(RETRY) {
            Ok(false) => {}
            Ok(true) => return Ok(None),
            Err(errno) => {
                tracing::warn!("cannot wait for signals: {errno}");
                std::thread::sleep(RETRY);
            }
        }
    }
}

fn report(error: &TransportError) {
    let reason = std::error::Error::source(error).map(|source| format!(": {source}")).unwrap_or_default();
    tracing::warn!("{error}{reason}; trying again in {} s", RETRY.as_secs());
}

/// The means to hear SIGTERM and SIGINT.
#[derive(Debug)]
pub struct Ends {
    terminate: Signal,
    interrupt: Signal,
}

impl Ends {
    /// From now on these signals do not end the process. Needs tokio's context.
    pub fn new() -> io::Result<Self> {
        Ok(Ends { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }
}

/// The wish that the agent ends.
struct Stop {
    ends: Ends,
    broker: SharedBroker,
}

impl Stop {
    /// Waits for SIGTERM or SIGINT. Not heeded while file systems are frozen, as in qemu-ga: an agent that ends then
    /// takes with it the only means to thaw them.
    async fn wanted(&mut self) {
        loop {
            let got = tokio::select! {
                got = self.ends.terminate.recv() => got,
                got = self.ends.interrupt.recv() => got,
            };
            if got.is_none() || !self.broker.borrow().is_frozen() {
                return;
            }
            tracing::warn!(
                "asked to end while file systems are frozen, which is ignored: ask again when they are thawed"
            );
        }
    }
}
