//! A session: one client, from its first byte to its leaving.

use crate::dispatcher::Dispatcher;
use crate::transport::Channel;
use bulkhead_protocol::{Framer, Limits};
use std::io;

/// How much is read at once, in bytes. More would not be faster; less would make a large request slower.
const READ: usize = 64 * 1024;

/// Serves the client at the other end of `channel` until it leaves. An error means that the channel is of no more use.
///
/// The reader's state begins here and ends here: half a request of one client is never completed by the next.
pub async fn serve(channel: &mut Channel, dispatcher: &mut Dispatcher) -> io::Result<()> {
    let mut framer = Framer::new(Limits::default());
    let mut buffer = vec![0; READ];
    loop {
        let count = channel.read(&mut buffer).await?;
        if count == 0 {
            return Ok(());
        }
        framer.push(&buffer[..count]);
        while let Some(message) = framer.next() {
            // Each reply is sent before the next request begins: a client may send a quick one and a slow one
            // together, and must not wait for the slow one to hear of the quick one.
            if let Some(reply) = dispatcher.answer(message)
                && !channel.write_all(reply.bytes()).await?
            {
                return Ok(());
            }
        }
        // A client that never pauses must not keep the agent from hearing that it shall end.
        tokio::task::yield_now().await;
    }
}
