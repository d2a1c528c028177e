//! Sleep, by the kernel's own hand.

use super::hotplug::write_word;
use super::{Linux, patience};
use crate::Power;
use nix::errno::Errno;
use std::time::Duration;

impl Power for Linux {
    /// By a thread of its own, for writing memory to a disk is the kernel's work and no processor
    /// time of whoever asks for it. The limit is counted by a clock that stands still while the machine sleeps, be it for days.
    fn kernel_sleep(&self, word: &str, limit: Duration) -> Result<(), Errno> {
        let theirs = word.to_owned();
        patience::have_done(("sleep", word.into()), limit, move || write_word("/sys/power/state", &theirs))
    }
}
