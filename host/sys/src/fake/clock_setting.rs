//! Setting the clocks is only noted. The hardware's stands still, if there is one.

use super::{Fake, State};
use nix::errno::Errno;

/// See [`crate::System::set_time`]. Takes no time before 1970, as the kernel.
pub(super) fn set_time(state: &mut State, time: i64) -> Result<(), Errno> {
    state.note("set-time", time.to_string().as_bytes());
    if time < 0 { Err(Errno::EINVAL) } else { Ok(()) }
}

/// What the pretended system knows of it.
#[derive(Debug)]
pub(super) struct HardwareClock {
    shows: Result<i64, Errno>,
}

impl Default for HardwareClock {
    fn default() -> Self {
        HardwareClock { shows: Err(Errno::ENOENT) }
    }
}

impl Fake {
    /// What the hardware clock shows from now on, in seconds since 1970 began, or what it answers instead. At first there is
    /// none.
    pub fn set_hardware_clock(&self, shows: Result<i64, Errno>) {
        self.0.borrow_mut().hardware_clock.shows = shows;
    }
}

/// See [`crate::System::hardware_time`].
pub(super) fn hardware_time(state: &State) -> Result<i64, Errno> {
    state.hardware_clock.shows
}

/// See [`crate::System::set_hardware_time`]. Notes what it would show.
pub(super) fn set_hardware_time(state: &mut State, ahead: i64) -> Result<(), Errno> {
    state.hardware_clock.shows?;
    let shown = super::clock::now(state).div_euclid(1_000_000_000) + ahead;
    state.note("set-hardware-time", shown.to_string().as_bytes());
    Ok(())
}
