//! A session: one client, from its first byte to its leaving.

use crate::dispatcher::Dispatcher;
use crate::transport::Channel;
use bulkhead_protocol::{Framer, Limits};
use std::io;
use std::pin::pin;
use std::time::Duration;
use tokio::time::timeout;

/// How much is read at once, in bytes. More would not be faster; less would make a large request slower.
const READ: usize = 64 * 1024;

/// Bytes of replies that may wait to be sent together. It bounds what a client that sends many requests at once makes the agent
/// hold; more would not be faster.
const HELD: usize = 16 * 1024;

/// How much of a long reply is sent at once, in bytes: that of a read of 64 KiB, whole. A longer piece would leave the processor's
/// second-level cache before it is sent.
const PIECE: usize = 96 * 1024;

/// Requests in a row, or reads that found something, after which others than the client are heard: a client that never pauses must
/// not keep the agent from hearing that it shall end.
const TURNS: u32 = 256;

/// After so long without a byte nothing is kept for the next request; as long as the allocator waits (the ticker).
const REST: Duration = Duration::from_secs(1);

/// How long the next piece of a large request is looked for before the agent goes to sleep. A client that is quick has the next 64 KiB there
/// after some 25 µs, if it need not wake the agent for them; being woken costs the agent about as much processor time. Of a
/// client that is slower it costs up to twice what the request does. A piece of less than 4 KiB ends it, so one that takes its time does
/// not keep the agent awake.
const MORE: Duration = Duration::from_micros(200);

/// Serves the client at the other end of `channel` until it leaves. An error means that the channel is of no more use.
///
/// The reader's state begins here and ends here: half a request of one client is not completed by the next. On a virtio port the
/// kernel tells whether somebody is there now, not that somebody has left: two of whom one comes at once when the other leaves are
/// one client here.
pub async fn serve(channel: &mut Channel, dispatcher: &mut Dispatcher) -> io::Result<()> {
    let mut framer = Framer::new(Limits::default());
    let mut buffer = vec![0; READ];
    // Whole from the beginning: made while a long reply is in memory, it would stand behind it, and keep the allocator from giving
    // that memory back.
    let mut held = Vec::with_capacity(PIECE + 4);
    let mut turns = Turns(0);
    loop {
        let count = receive(channel, &mut buffer, &mut framer).await?;
        if count == 0 {
            return Ok(());
        }
        framer.push(&buffer[..count]);
        while let Some(message) = framer.next() {
            turns.pass().await;
            // A client may send a quick request and a slow one together, and must not wait for the slow one to hear of the
            // quick one.
            if !held.is_empty() && !dispatcher.answers_at_once(&message) && !send(channel, &mut held).await? {
                return Ok(());
            }
            let Some(mut reply) = dispatcher.answer(message) else { continue };
            while !reply.is_empty() {
                reply.take(&mut held, PIECE);
                if held.len() > HELD && !send(channel, &mut held).await? {
                    return Ok(());
                }
            }
        }
        if !send(channel, &mut held).await? {
            return Ok(());
        }
        dispatcher.settle();
        turns.pass().await;
    }
}

/// Waits for bytes. A client that sends a large request may send the next; if it does not, the memory that it would be in goes back.
async fn receive(channel: &mut Channel, buffer: &mut [u8], framer: &mut Framer) -> io::Result<usize> {
    if framer.is_within_large() {
        channel.stay_awake(MORE);
        if framer.took_memory() {
            // What a large reply has left would now stand beside it.
            bulkhead_os::memory::give_back();
        }
    }
    let mut read = pin!(channel.read(buffer));
    if framer.keeps_memory() {
        match timeout(REST, &mut read).await {
            Ok(count) => return count,
            Err(_) => framer.give_back(),
        }
    }
    read.await
}

/// How many of [`TURNS`] have passed.
struct Turns(u32);

impl Turns {
    async fn pass(&mut self) {
        self.0 += 1;
        if self.0 == TURNS {
            self.0 = 0;
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
