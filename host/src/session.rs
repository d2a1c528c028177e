//! A session: one client, from its first byte to its leaving.

use crate::dispatcher::Dispatcher;
use crate::transport::Channel;
use bulkhead_protocol::{Framer, Limits};
use std::io;

/// How much is read at once, in bytes. More would not be faster; less would make a large request slower.
const READ: usize = 64 * 1024;

/// Bytes of replies that may wait to be sent together. It bounds what a client that sends many requests at once makes the agent
/// hold; more would not be faster.
const HELD: usize = 16 * 1024;

/// Reads in a row that found something, after which others than the client are heard: a client that never pauses must not keep
/// the agent from hearing that it shall end.
const READS: u32 = 16;

/// Serves the client at the other end of `channel` until it leaves. An error means that the channel is of no more use.
///
/// The reader's state begins here and ends here: half a request of one client is never completed by the next.
pub async fn serve(channel: &mut Channel, dispatcher: &mut Dispatcher) -> io::Result<()> {
    let mut framer = Framer::new(Limits::default());
    let mut buffer = vec![0; READ];
    let mut held = Vec::new();
    let mut reads = 0_u32;
    loop {
        let count = channel.read(&mut buffer).await?;
        if count == 0 {
            return Ok(());
        }
        framer.push(&buffer[..count]);
        while let Some(message) = framer.next() {
            // A client may send a quick request and a slow one together, and must not wait for the slow one to hear of the
            // quick one.
            if !held.is_empty() && !dispatcher.answers_at_once(&message) && !send(channel, &mut held).await? {
                return Ok(());
            }
            let Some(reply) = dispatcher.answer(message) else { continue };
            if reply.bytes().len() > HELD {
                if !send(channel, &mut held).await? || !channel.write_all(reply.bytes()).await? {
                    return Ok(());
                }
            } else {
                held.extend_from_slice(reply.bytes());
                if held.len() > HELD && !send(channel, &mut held).await? {
                    return Ok(());
                }
            }
        }
        if !send(channel, &mut held).await? {
            return Ok(());
        }
        dispatcher.settle();
        reads += 1;
        if reads == READS {
            reads = 0;
            tokio::task::yield_now().await;
        }
    }
}

/// Sends what was held back, if anything; false if the client has left.
async fn send(channel: &mut Channel, held: &mut Vec<u8>) -> io::Result<bool> {
    let is_there = held.is_empty() || channel.write_all(held).await?;
    held.clear();
    Ok(is_there)
}
