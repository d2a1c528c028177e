//! Sleep that is only noted.

use super::{Fake, State};
use nix::errno::Errno;

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

/// See [`crate::System::kernel_sleep`]. Comes back at once: the nights of this system are short.
pub(super) fn kernel_sleep(state: &mut State, word: &str) -> Result<(), Errno> {
    state.note("sleep", word.as_bytes());
    state.power.refuses_to_sleep.map_or(Ok(()), Err)
}
