//! The transport: bytes from and to one client at a time.
//!
//! A [`Transport`] is opened once, at start, so that what is wrong with it is told at once. Its [`Channel`]s come and go
//! with the clients: a listening socket gives a new one for each, a serial port is the same one again.

mod channel;
mod listen;
mod port;

pub use channel::Channel;

use bulkhead_config::{Config, Method};
use listen::Listener;
use port::Port;
use std::io;
use std::path::PathBuf;
use thiserror::Error;

/// The way by which clients come.
#[derive(Debug)]
pub struct Transport(Kind);

#[derive(Debug)]
enum Kind {
    Port(Port),
    Listener(Listener),
}

/// Why there is no way for clients to come. The wording is qemu-ga's.
#[derive(Debug, Error)]
pub enum TransportError {
    /// No such method.
    #[error(transparent)]
    Method(#[from] bulkhead_config::UnsupportedMethod),
    /// A method that needs a path has none.
    #[error(transparent)]
    Path(#[from] bulkhead_config::MissingPath),
    /// The device cannot be opened.
    #[error("error opening channel '{}'", path.display())]
    Open {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The socket cannot be made.
    #[error("failed to bind socket to {address}")]
    Bind {
        /// A path, or a vsock address.
        address: String,
        /// Why.
        source: io::Error,
    },
    /// Not `CID:PORT`.
    #[error("error parsing address '{0}': a vsock address is CID:PORT, two numbers")]
    Address(String),
    /// The service manager passed something that is not a listening unix or vsock socket.
    #[error("unsupported listen fd type")]
    Inherited(#[source] io::Error),
    /// The service manager passed more than one socket.
    #[error("{0} sockets were passed to the agent, which can listen on one")]
    TooMany(u32),
}

impl Transport {
    /// Opens what the configuration names or, before that, takes the socket that the service manager passed: `passed`
    /// says how many.
    pub fn open(config: &Config, passed: u32) -> Result<Self, TransportError> {
        let peers = || config.vsock_peers.clone().unwrap_or_default();
        match passed {
            0 => {}
            1 => return Listener::inherited(peers()).map(|listener| Transport(Kind::Listener(listener))),
            more => return Err(TransportError::TooMany(more)),
        }
        let method = config.method()?;
        let path = config.channel_path()?;
        Ok(Transport(match method {
            Method::VirtioSerial | Method::IsaSerial => Kind::Port(Port::open(method, path.into())?),
            Method::UnixListen => Kind::Listener(Listener::unix(path)?),
            Method::VsockListen => Kind::Listener(Listener::vsock(path, peers())?),
        }))
    }

    /// Waits for a client. An error means that none will come any more, unless [`Transport::reopen`] helps.
    pub async fn client(&mut self) -> io::Result<&mut Channel> {
        match &mut self.0 {
            Kind::Port(port) => port.client().await,
            Kind::Listener(listener) => listener.client().await,
        }
    }

    /// The client has left.
    pub fn left(&mut self) {
        match &mut self.0 {
            Kind::Port(port) => port.left(),
            Kind::Listener(listener) => listener.left(),
        }
    }

    /// Opens the device again after an error. A listening socket has no such errors.
    pub fn reopen(&mut self) -> Result<(), TransportError> {
        match &mut self.0 {
            Kind::Port(port) => port.reopen(),
            Kind::Listener(_) => Ok(()),
        }
    }

    /// Whether clients come by a listening socket.
    pub fn is_listener(&self) -> bool {
        matches!(self.0, Kind::Listener(_))
    }

    /// Whether an error of a channel is one that passes by itself, such as a line that was hung up.
    pub fn survives_errors(&self) -> bool {
        match &self.0 {
            Kind::Port(port) => port.survives_errors(),
            Kind::Listener(_) => true,
        }
    }
}
