//! What every client of the agent does first.

use bulkhead_test_support::Client;
use serde_json::json;
use std::io::Read;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Base64 in the alphabet of the protocol.
pub fn base64(bytes: &[u8]) -> String {
    base64_simd::STANDARD.encode_to_string(bytes)
}

/// Brings a fresh connection in step, as libvirt does: a sentinel to end whatever the client before left unfinished,
/// then guest-sync-delimited with a number of our own, then everything up to its reply is thrown away.
///
/// The agent's port knows no connections: a reply that the client before did not fetch comes to this one.
pub fn synchronise(client: &mut Client) {
    static NEXT: AtomicU64 = AtomicU64::new(7_000_001);
    let id = NEXT.fetch_add(1, Ordering::Relaxed);
    client.send(b"\xff");
    client.send(format!("{}\n", json!({ "execute": "guest-sync-delimited", "arguments": { "id": id } })).as_bytes());

    let expected = format!("\"return\": {id}");
    let end = Instant::now() + client.patience;
    let mut stream = client.stream();
    stream.set_read_timeout(Some(Duration::from_millis(100))).expect("a positive time-out is accepted");
    let mut line = Vec::new();
    let mut piece = vec![0; 1 << 16];
    while Instant::now() < end {
        // A time-out is not an error here: the agent may still be starting.
        let Ok(count) = stream.read(&mut piece) else { continue };
        assert_ne!(count, 0, "QEMU closed the connection");
        // Nothing follows the awaited reply, so only the text behind the last sentinel matters.
        match piece[..count].iter().rposition(|byte| *byte == 0xFF) {
            Some(at) => line = piece[at..count].to_vec(),
            None if line.first() == Some(&0xFF) => line.extend_from_slice(&piece[..count]),
            None => {}
        }
        if line.ends_with(b"\n") && String::from_utf8_lossy(&line).contains(&expected) {
            return;
        }
    }
    panic!("no reply to guest-sync-delimited within {:?}", client.patience);
}
