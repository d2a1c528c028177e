//! Sleep, by the kernel's own hand.

use super::hotplug::write_word;
use nix::errno::Errno;

/// See [`crate::System::kernel_sleep`]. Without a time limit: it comes back when the machine is awake again, be it after
/// days.
pub(super) fn kernel_sleep(word: &str) -> Result<(), Errno> {
    write_word("/sys/power/state", word)
}
