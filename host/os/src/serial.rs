//! Serial lines as channels.

use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;
use nix::sys::termios::{BaudRate, ControlFlags, SetArg, cfmakeraw, cfsetspeed, tcgetattr, tcsetattr};
use std::os::fd::OwnedFd;
use std::path::Path;

/// Opens a virtio-serial port: a byte stream, so there is nothing to set. A port can be opened once: `EBUSY` means
/// that another agent has it.
pub fn open_virtio_port(path: &Path) -> Result<OwnedFd, Errno> {
    open(path, OFlag::O_RDWR | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC, Mode::empty())
}

/// Opens a terminal line and takes every kind of processing off it: 38400 baud, 8 bits, no echo, no flow control, no
/// signals, not the controlling terminal.
pub fn open_terminal_line(path: &Path) -> Result<OwnedFd, Errno> {
    let flags = OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
    let line = open(path, flags, Mode::empty())?;
    let mut settings = tcgetattr(&line)?;
    cfmakeraw(&mut settings);
    // Carrier detection stays on: it is how a line tells that the other side has gone.
    settings.control_flags |= ControlFlags::CREAD;
    cfsetspeed(&mut settings, BaudRate::B38400)?;
    tcsetattr(&line, SetArg::TCSANOW, &settings)?;
    Ok(line)
}
