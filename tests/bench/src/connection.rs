//! A client that does as little as possible, so that the time measured is the agent's.
//!
//! Requests are made beforehand. Of a reply only the first bytes (is it a return?) and the last (is it complete?)
//! are looked at; it is neither kept nor parsed.

use anyhow::{Context, Result, bail, ensure};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::io::{ErrorKind, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

/// Longer than any reply should take: an agent that needs more is stuck.
const PATIENCE: Duration = Duration::from_secs(30);
/// How a successful reply begins. Both agents write it so.
const RETURN: &[u8] = br#"{"return": "#;

pub(crate) struct Connection {
    stream: UnixStream,
    buffer: Vec<u8>,
}

impl Connection {
    /// Connects as soon as the agent listens. It looks every 50 µs, which bounds the error of a start time.
    pub(crate) fn open(socket: &Path) -> Result<Self> {
        let end = Instant::now() + PATIENCE;
        let stream = loop {
            match UnixStream::connect(socket) {
                Ok(stream) => break stream,
                Err(error) if Instant::now() > end => {
                    return Err(error).with_context(|| format!("cannot connect to {}", socket.display()));
                }
                Err(_) => std::thread::sleep(Duration::from_micros(50)),
            }
        };
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Connection { stream, buffer: vec![0; 1 << 20] })
    }

    /// Sends a request and reads its reply away.
    pub(crate) fn exchange(&mut self, request: &[u8]) -> Result<()> {
        self.stream.write_all(request).context("the agent does not take the request")?;
        let mut first = true;
        loop {
            let piece = self.read()?;
            // A first piece may be shorter than the text looked for.
            let begin = &piece[..piece.len().min(RETURN.len())];
            ensure!(!first || RETURN.starts_with(begin), "not a return: {}", String::from_utf8_lossy(piece).trim_end());
            if piece.last() == Some(&b'\n') {
                return Ok(());
            }
            first = false;
        }
    }

    /// Sends a request and keeps its reply, for the untimed parts.
    pub(crate) fn call(&mut self, request: &[u8]) -> Result<serde_json::Value> {
        self.stream.write_all(request).context("the agent does not take the request")?;
        let mut line = Vec::new();
        while line.last() != Some(&b'\n') {
            line.extend_from_slice(self.read()?);
        }
        let mut reply: serde_json::Value = serde_json::from_slice(&line).context("a reply is not JSON")?;
        match reply.get_mut("return") {
            Some(value) => Ok(value.take()),
            None => bail!("{} was answered with {reply}", String::from_utf8_lossy(request).trim_end()),
        }
    }

    /// Sends `count` copies of a request without waiting for replies, and counts these until all have come.
    pub(crate) fn pipeline(&mut self, request: &[u8], count: usize) -> Result<()> {
        let batch = request.repeat(1000.min(count));
        let (mut to_send, mut got, mut from) = (count * request.len(), 0, 0);
        self.stream.set_nonblocking(true)?;
        while got < count {
            let wish = if to_send > 0 { PollFlags::POLLIN | PollFlags::POLLOUT } else { PollFlags::POLLIN };
            let mut ready = [PollFd::new(self.stream.as_fd(), wish)];
            let silent = poll(&mut ready, PollTimeout::try_from(PATIENCE)?)? == 0;
            ensure!(!silent, "the agent is stuck after {got} of {count} pipelined requests");
            let ready = ready[0].revents().unwrap_or(PollFlags::empty());
            if ready.intersects(PollFlags::POLLIN | PollFlags::POLLHUP | PollFlags::POLLERR) {
                got += self.read()?.iter().filter(|byte| **byte == b'\n').count();
            }
            if ready.contains(PollFlags::POLLOUT) && to_send > 0 {
                let piece = &batch[from..batch.len().min(from + to_send)];
                match self.stream.write(piece) {
                    Ok(sent) => {
                        to_send -= sent;
                        from = (from + sent) % batch.len();
                    }
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                    Err(error) => return Err(error).context("the agent does not take the requests"),
                }
            }
        }
        self.stream.set_nonblocking(false)?;
        Ok(())
    }

    fn read(&mut self) -> Result<&[u8]> {
        // With a time limit on it, a read can be interrupted when another thread starts a process.
        let count = loop {
            match self.stream.read(&mut self.buffer) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                read => break read.context("no reply came")?,
            }
        };
        ensure!(count > 0, "the agent closed the connection");
        Ok(&self.buffer[..count])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufRead, BufReader};
    use std::os::unix::net::UnixListener;

    /// A connection to a thread that answers each line with `answer`.
    fn answered_with(answer: &'static str) -> Connection {
        let (client, server) = UnixStream::pair().expect("a pair of sockets");
        std::thread::spawn(move || {
            let mut lines = BufReader::new(server.try_clone().expect("a copy")).lines();
            while let Some(Ok(_)) = lines.next() {
                (&server).write_all(answer.as_bytes()).expect("the client reads");
            }
        });
        Connection { stream: client, buffer: vec![0; 4096] }
    }

    #[test]
    fn an_error_reply_is_not_measured() {
        assert!(answered_with("{\"return\": {}}\n").exchange(b"x\n").is_ok());
        let error = answered_with("{\"error\": {}}\n").exchange(b"x\n").expect_err("an error reply");
        assert!(error.to_string().contains("not a return"));
    }

    #[test]
    fn a_pipeline_ends_with_the_last_reply() {
        let mut connection = answered_with("{\"return\": {}}\n");
        connection.pipeline(b"ping\n", 2500).expect("2500 replies");
        assert!(connection.exchange(b"x\n").is_ok(), "nothing is left over");
    }

    #[test]
    fn a_closed_connection_is_an_error() {
        let folder = bulkhead_test_support::Scratch::new("bench");
        let listener = UnixListener::bind(folder.join("socket")).expect("a socket");
        let mut connection = Connection::open(&folder.join("socket")).expect("a listener takes connections");
        drop(listener.accept());
        assert!(connection.exchange(b"x\n").is_err());
    }
}
