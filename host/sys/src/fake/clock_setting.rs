//! Setting the clocks is only noted. The hardware's stands still, if there is one.

use super::Fake;
use nix::errno::Errno;
use std::time::Duration;

impl crate::ClockSetting for Fake {
    /// Takes no time before 1970, as the kernel.
    fn set_time(&self, time: i64) -> Result<(), Errno> {
        let state = &mut *self.0.borrow_mut();
        state.note("set-time", time.to_string().as_bytes());
        if time < 0 { Err(Errno::EINVAL) } else { Ok(()) }
    }

    fn hardware_time(&self) -> Result<i64, Errno> {
        let state = &self.0.borrow();
        state.hardware_clock.shows
    }

    /// Notes what it would show.
    fn next_hardware_second(&self, _patience: Duration) -> Result<i64, Errno> {
        self.hardware_time()
    }

    fn set_hardware_time(&self, ahead: i64) -> Result<(), Errno> {
        let state = &mut *self.0.borrow_mut();
        state.hardware_clock.shows?;
        let shown = state.clock.now.div_euclid(1_000_000_000) + ahead;
        state.note("set-hardware-time", shown.to_string().as_bytes());
        Ok(())
    }
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
