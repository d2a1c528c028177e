//! Setting the clock is only noted.

use super::State;
use nix::errno::Errno;

/// See [`crate::System::set_time`]. Takes no time before 1970, as the kernel.
pub(super) fn set_time(state: &mut State, time: i64) -> Result<(), Errno> {
    state.note("set-time", time.to_string().as_bytes());
    if time < 0 { Err(Errno::EINVAL) } else { Ok(()) }
}
