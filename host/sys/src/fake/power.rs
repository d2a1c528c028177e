//! Sleep that is only noted.

use super::Fake;
use nix::errno::Errno;
use std::time::Duration;

/// What the pretended system knows of it.
#[derive(Debug, Default)]
pub(super) struct Power {
    refuses_to_sleep: Option<Errno>,
}

impl Fake {
    /// Has the kernel refuse to sleep.
    pub fn refuse_sleep(&self, errno: Errno) {
        self.0.borrow_mut().power.refuses_to_sleep = Some(errno);
    }
}

impl crate::Power for Fake {
    /// Comes back at once: the nights of this system are short.
    fn kernel_sleep(&self, word: &str, _limit: Duration) -> Result<(), Errno> {
        let state = &mut *self.0.borrow_mut();
        state.note("sleep", word.as_bytes());
        state.power.refuses_to_sleep.map_or(Ok(()), Err)
    }
}
