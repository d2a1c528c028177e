//! The four ways to open a channel.

use std::{fmt, str::FromStr};

use thiserror::Error;

use crate::names::suggestion;

/// How the channel to the client is opened, `--method` on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// A virtio-serial port, the usual way: QEMU and the kernel carry the bytes.
    VirtioSerial,
    /// A serial line, for a VM without virtio; put into raw mode at 38400 baud.
    IsaSerial,
    /// A listening unix socket, for containers and tests.
    UnixListen,
    /// A listening vsock socket; its path is written `cid:port`.
    VsockListen,
}

impl Method {
    const ALL: [Method; 4] = [Method::VirtioSerial, Method::IsaSerial, Method::UnixListen, Method::VsockListen];

    /// The name on the command line, in the configuration file and in messages.
    pub fn name(self) -> &'static str {
        match self {
            Method::VirtioSerial => "virtio-serial",
            Method::IsaSerial => "isa-serial",
            Method::UnixListen => "unix-listen",
            Method::VsockListen => "vsock-listen",
        }
    }

    /// Where the channel is when no path is given. The listening methods have no such place: an address that nobody
    /// chose would be one that nobody protects.
    pub fn default_path(self) -> Option<&'static str> {
        match self {
            Method::VirtioSerial => Some("/dev/virtio-ports/org.qemu.guest_agent.0"),
            Method::IsaSerial => Some("/dev/ttyS0"),
            Method::UnixListen | Method::VsockListen => None,
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Method {
    type Err = UnsupportedMethod;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Method::ALL
            .into_iter()
            .find(|method| method.name() == name)
            .ok_or_else(|| UnsupportedMethod { name: name.to_owned() })
    }
}

/// A method name that is none of the four. Found when the channel is opened and not before: `--dump-conf` prints
/// whatever name it was given, as `qemu-ga` does.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "unsupported channel method/type: {name}; methods are virtio-serial, isa-serial, unix-listen and vsock-listen{}",
    suggestion(.name, Method::ALL.map(Method::name))
)]
pub struct UnsupportedMethod {
    /// The name as given.
    pub name: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_leads_back_to_its_method() {
        for method in Method::ALL {
            assert_eq!(method.name().parse(), Ok(method));
        }
    }

    #[test]
    fn another_name_is_refused_in_the_words_clients_know() {
        let error = "bogus".parse::<Method>().unwrap_err();
        let said = "unsupported channel method/type: bogus; methods are virtio-serial, isa-serial, unix-listen and vsock-listen";
        assert_eq!(error.to_string(), said);
        let near = "vrtio-serial".parse::<Method>().unwrap_err().to_string();
        assert!(near.ends_with("vsock-listen, did you mean 'virtio-serial'?"), "{near}");
        assert!("Virtio-Serial".parse::<Method>().is_err(), "names are compared exactly");
    }
}
