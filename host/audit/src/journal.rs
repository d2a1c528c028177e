//! The journal of systemd, in its native form: one datagram of named fields.
//!
//! <https://systemd.io/JOURNAL_NATIVE_PROTOCOL/>

use crate::Entry;
use std::io;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;

/// The way to it.
#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    socket: Option<UnixDatagram>,
    /// Lines that it did not take since it last took one.
    lost: u64,
    datagram: Vec<u8>,
}

impl Journal {
    /// The journal that listens at `path`.
    pub(crate) fn new(path: PathBuf) -> Self {
        Journal { path, socket: None, lost: 0, datagram: Vec::new() }
    }

    /// Sends a line and what people read of it. Never waits: a journal that is busy does not get it.
    pub(crate) fn send(&mut self, entry: &Entry, line: Option<(u64, &str)>) -> io::Result<()> {
        let sent = self.try_send(entry, line).or_else(|error| match error.raw_os_error() {
            // The longest datagram is the system's choice; of a line that is longer the journal gets the fields.
            Some(EMSGSIZE) => self.try_send(entry, line.map(|(seq, _)| (seq, ""))),
            _ => Err(error),
        });
        match &sent {
            Ok(()) => self.lost = 0,
            Err(_) => self.lost = self.lost.saturating_add(1),
        }
        sent
    }

    fn try_send(&mut self, entry: &Entry, line: Option<(u64, &str)>) -> io::Result<()> {
        self.datagram.clear();
        let mut field = |name: &str, value: &str| push_field(&mut self.datagram, name, value);
        field("MESSAGE", &entry.message);
        field("PRIORITY", &entry.priority.to_string());
        field("SYSLOG_IDENTIFIER", "bulkhead-agent");
        entry.fields.iter().for_each(|(name, value)| field(name, value));
        if let Some((seq, line)) = line {
            field("BULKHEAD_SEQ", &seq.to_string());
            if !line.is_empty() {
                field("BULKHEAD_LINE", line);
            }
        }
        if self.lost > 0 {
            field("BULKHEAD_LOST", &self.lost.to_string());
        }
        let socket = match self.socket.take() {
            Some(socket) => socket,
            None => {
                let socket = UnixDatagram::unbound()?;
                socket.set_nonblocking(true)?;
                socket
            }
        };
        self.socket.insert(socket).send_to(&self.datagram, &self.path).map(drop)
    }
}

/// Linux's number for a message that is too long, which the standard library has no name for.
const EMSGSIZE: i32 = 90;

/// A value of several lines has its length before it, so that it cannot forge a field.
fn push_field(datagram: &mut Vec<u8>, name: &str, value: &str) {
    datagram.extend_from_slice(name.as_bytes());
    if value.contains('\n') {
        datagram.push(b'\n');
        datagram.extend_from_slice(&(value.len() as u64).to_le_bytes());
    } else {
        datagram.push(b'=');
    }
    datagram.extend_from_slice(value.as_bytes());
    datagram.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::tests::Folder;

    fn entry(message: &str) -> Entry {
        let fields = vec![("BULKHEAD_COMMAND", "guest-ping".to_owned())];
        Entry { message: message.to_owned(), priority: 6, fields, ..Entry::default() }
    }

    fn received(socket: &UnixDatagram) -> String {
        let mut buffer = vec![0; 1 << 20];
        let length = socket.recv(&mut buffer).unwrap();
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    }

    #[test]
    fn fields_of_a_line() {
        let folder = Folder::new("journal");
        let socket = UnixDatagram::bind(folder.join("socket")).unwrap();
        let mut journal = Journal::new(folder.join("socket"));
        journal.send(&entry("pinged"), Some((7, "{}"))).unwrap();
        assert_eq!(
            received(&socket),
            "MESSAGE=pinged\nPRIORITY=6\nSYSLOG_IDENTIFIER=bulkhead-agent\nBULKHEAD_COMMAND=guest-ping\nBULKHEAD_SEQ=7\n\
             BULKHEAD_LINE={}\n"
        );
        journal.send(&entry("a\nPRIORITY=0"), None).unwrap();
        assert!(received(&socket).starts_with("MESSAGE\n\x0c\0\0\0\0\0\0\0a\nPRIORITY=0\nPRIORITY=6\n"));
    }

    #[test]
    fn a_full_journal_is_not_waited_for() {
        let folder = Folder::new("full-journal");
        let mut journal = Journal::new(folder.join("socket"));
        assert!(journal.send(&entry("nobody there"), None).is_err());
        let socket = UnixDatagram::bind(folder.join("socket")).unwrap();
        let sent = (0..100_000).take_while(|_| journal.send(&entry("x"), None).is_ok()).count();
        assert!(sent > 0 && sent < 100_000, "{sent} datagrams were taken");
        assert!(received(&socket).contains("BULKHEAD_LOST=1\n"), "of the line that nobody heard");
        journal.send(&entry("again"), None).unwrap();
        let last = (0..sent).map(|_| received(&socket)).fold(String::new(), |_, next| next);
        assert!(last.starts_with("MESSAGE=again\n") && last.contains("BULKHEAD_LOST=1\n"), "{last}");
    }

    #[test]
    fn of_a_line_too_long_for_a_datagram_the_fields_are_sent() {
        let folder = Folder::new("long-journal");
        let socket = UnixDatagram::bind(folder.join("socket")).unwrap();
        let mut journal = Journal::new(folder.join("socket"));
        journal.send(&entry("long"), Some((1, &"x".repeat(64 << 20)))).unwrap();
        assert!(received(&socket).ends_with("BULKHEAD_SEQ=1\n"));
    }
}
