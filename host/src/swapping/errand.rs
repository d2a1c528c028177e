//! Work that may wait for a disk, on a thread of its own, so that no request waits for it.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread;

/// Work under way. When it is dropped the thread goes on, and nobody hears of what it has found.
#[derive(Debug)]
pub(super) struct Errand<T>(Arc<Mutex<Slot<T>>>);

#[derive(Debug)]
struct Slot<T> {
    result: Option<T>,
    /// Whether nothing more can come.
    is_over: bool,
    waker: Option<Waker>,
}

/// The thread's side: whoever waits is woken when it is dropped, also by a panic.
struct Promise<T>(Arc<Mutex<Slot<T>>>);

impl<T: Send + 'static> Errand<T> {
    /// Begins `work`.
    pub(super) fn begin(work: impl FnOnce() -> T + Send + 'static) -> io::Result<Self> {
        let slot = Arc::new(Mutex::new(Slot { result: None, is_over: false, waker: None }));
        let promise = Promise(Arc::clone(&slot));
        thread::Builder::new().name("store".to_owned()).spawn(move || {
            let promise = promise;
            let result = work();
            promise.0.lock().unwrap_or_else(PoisonError::into_inner).result = Some(result);
        })?;
        Ok(Errand(slot))
    }
}

impl<T> Drop for Promise<T> {
    fn drop(&mut self) {
        let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        slot.is_over = true;
        let waker = slot.waker.take();
        drop(slot);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// What was found; nothing if the thread has panicked.
impl<T> Future for Errand<T> {
    type Output = Option<T>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if slot.is_over {
            return Poll::Ready(slot.result.take());
        }
        slot.waker = Some(context.waker().clone());
        Poll::Pending
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
