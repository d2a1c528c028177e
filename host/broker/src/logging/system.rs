//! The system's log: what listens at /dev/log, by the protocol of syslog(3).

use super::level::Level;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;

/// Where syslogd listens, or the journal in its place.
const PLACE: &str = "/dev/log";

/// The facility `user`: that of a program which names none, as qemu-ga names none.
const FACILITY: u8 = 1;

/// The way to it. Nobody is waited for.
#[derive(Debug)]
pub(super) struct System {
    place: PathBuf,
    name: String,
    socket: Option<UnixDatagram>,
}

impl System {
    /// For an agent that is called `name` there.
    pub(super) fn new(name: String) -> Self {
        System { place: PLACE.into(), name, socket: None }
    }

    /// Tells it a line; false if it is busy, or does not listen. No time is told: whoever listens has a clock.
    pub(super) fn tell(&mut self, level: Level, text: &str) -> bool {
        let (priority, pid) = (FACILITY * 8 + level.number(), std::process::id());
        let line = format!("<{priority}>{}[{pid}]: {text}", self.name);
        if self.socket.is_none() {
            self.socket = UnixDatagram::unbound().and_then(|it| it.set_nonblocking(true).map(|()| it)).ok();
        }
        self.socket.as_ref().is_some_and(|socket| socket.send_to(line.as_bytes(), &self.place).is_ok())
    }

    #[cfg(test)]
    pub(super) fn at(place: PathBuf) -> Self {
        System { place, ..System::new("qemu-ga".to_owned()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bulkhead_test_support::Scratch;

    #[test]
    fn a_line_is_a_datagram_and_nobody_is_waited_for() {
        let scratch = Scratch::new("syslog");
        let place = scratch.join("log");
        let mut system = System::at(place.clone());
        assert!(!system.tell(Level::Error, "nobody is there"));
        let listener = UnixDatagram::bind(&place).unwrap();
        assert!(system.tell(Level::Warning, "refused"));
        let mut buffer = [0; 256];
        let length = listener.recv(&mut buffer).unwrap();
        let expected = format!("<12>qemu-ga[{}]: refused", std::process::id());
        assert_eq!(String::from_utf8_lossy(&buffer[..length]), expected);
        let taken = (0..100_000).take_while(|_| system.tell(Level::Notice, "x")).count();
        assert!(taken < 100_000, "it does not read");
        std::fs::remove_file(&place).unwrap();
        let again = UnixDatagram::bind(&place).unwrap();
        assert!(system.tell(Level::Notice, "a syslogd that was started again"));
        assert!(again.recv(&mut buffer).unwrap() > 0);
    }
}
