//! Work that may wait for a disk, on a thread of its own, so that no request waits for it.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::thread;
use tokio::sync::oneshot::{Receiver, channel};

/// Work under way. When it is dropped the thread goes on, and nobody hears of what it has found.
#[derive(Debug)]
pub(super) struct Errand<T>(Receiver<T>);

impl<T: Send + 'static> Errand<T> {
    /// Begins `work`.
    pub(super) fn begin(work: impl FnOnce() -> T + Send + 'static) -> io::Result<Self> {
        let (found, errand) = channel();
        // What nobody waits for any more is lost, as it may be.
        thread::Builder::new().name("store".to_owned()).spawn(move || drop(found.send(work())))?;
        Ok(Errand(errand))
    }
}

/// What was found; nothing if the thread has panicked.
impl<T> Future for Errand<T> {
    type Output = Option<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        Pin::new(&mut self.0).poll(context).map(Result::ok)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let tokio = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let errand = Errand::begin(work).unwrap();
        tokio.block_on(async {
            tokio::time::timeout(std::time::Duration::from_secs(10), errand).await.expect("whoever waits is woken")
        })
    }

    #[test]
    fn what_was_found_comes_back() {
        assert_eq!(wait(|| 7), Some(7));
        assert_eq!(wait(|| thread::sleep(std::time::Duration::from_millis(20))), Some(()));
    }

    #[test]
    fn a_panic_is_not_waited_for() {
        assert_eq!(
            wait(|| if thread::current().name() == Some("store") {
                panic!("on purpose")
            }),
            None
        );
    }
}
