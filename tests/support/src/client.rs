//! A client: writes requests, reads reply lines.

use serde_json::{Value, json};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

/// One reply line.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// Whether the sentinel (0xFF) stood directly before it.
    pub sentinel: bool,
    /// The line's JSON value.
    pub value: Value,
    /// The line as it came, without sentinel and newline.
    pub text: String,
}

impl Reply {
    /// The `return` member, or a panic that shows the reply.
    pub fn ok(self) -> Value {
        self.value.get("return").cloned().unwrap_or_else(|| panic!("expected a return, got {}", self.text))
    }

    /// `error.desc`, or a panic that shows the reply.
    pub fn desc(&self) -> &str {
        self.value
            .pointer("/error/desc")
            .and_then(Value::as_str)
            .unwrap_or_else(|| panic!("expected an error, got {}", self.text))
    }

    /// `error.class`, or a panic that shows the reply.
    pub fn class(&self) -> &str {
        self.value
            .pointer("/error/class")
            .and_then(Value::as_str)
            .unwrap_or_else(|| panic!("expected an error, got {}", self.text))
    }
}

/// A connection to an agent (or to the host side of a virtio-serial port).
#[derive(Debug)]
pub struct Client {
    stream: UnixStream,
    buffer: Vec<u8>,
    /// How long to wait for a reply. Ten seconds unless changed.
    pub patience: Duration,
}

impl Client {
    /// Connects to a unix socket, waiting up to ten seconds for it to appear.
    pub fn connect(path: &Path) -> Self {
        let end = Instant::now() + Duration::from_secs(10);
        loop {
            match UnixStream::connect(path) {
                Ok(stream) => return Client { stream, buffer: Vec::new(), patience: Duration::from_secs(10) },
                Err(error) if Instant::now() > end => panic!("cannot connect to {}: {error}", path.display()),
                Err(_) => std::thread::sleep(Duration::from_millis(2)),
            }
        }
    }

    /// Writes bytes as they are.
    pub fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).expect("the agent takes the bytes");
    }

    /// The next reply line, or nothing if the agent stays silent for `wait` or closes the connection.
    pub fn try_reply(&mut self, wait: Duration) -> Option<Reply> {
        let end = Instant::now() + wait;
        let mut searched = 0;
        let newline = loop {
            if let Some(at) = self.buffer[searched..].iter().position(|byte| *byte == b'\n') {
                break searched + at;
            }
            searched = self.buffer.len();
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            self.stream.set_read_timeout(Some(left)).expect("a positive time-out is accepted");
            let mut piece = [0; 65536];
            match self.stream.read(&mut piece) {
                Ok(0) => return None,
                Ok(count) => self.buffer.extend_from_slice(&piece[..count]),
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted) => {
                }
                Err(_) => return None,
            }
        };
        let line: Vec<u8> = self.buffer.drain(..=newline).collect();
        let line = &line[..newline];
        let sentinel = line.first() == Some(&0xFF);
        let text = std::str::from_utf8(&line[usize::from(sentinel)..]).expect("a reply is UTF-8").to_owned();
        let value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("a reply is JSON: {error}: {text:?}"));
        Some(Reply { sentinel, value, text })
    }

    /// The next reply line.
    pub fn reply(&mut self) -> Reply {
        self.try_reply(self.patience).expect("the agent replies in time")
    }

    /// Sends one request and reads one reply. `arguments` may be `Value::Null` for none.
    pub fn call(&mut self, command: &str, arguments: Value) -> Reply {
        let mut request = json!({ "execute": command });
        if !arguments.is_null() {
            request["arguments"] = arguments;
        }
        self.send(format!("{request}\n").as_bytes());
        self.reply()
    }

    /// The stream itself, for tests that shut it down, fill it or close it.
    pub fn stream(&self) -> &UnixStream {
        &self.stream
    }
}
