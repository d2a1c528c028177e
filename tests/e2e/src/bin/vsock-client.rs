//! Runs in the VM, as busybox knows no vsock: `vsock-client PORT` sends its standard input to a vsock port of its own
//! machine and prints one line of reply for each line that was sent.

use anyhow::{Context, Result};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, VsockAddr, connect, socket};
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::AsRawFd;

/// The address of the machine itself, `VMADDR_CID_LOCAL` in vsock(7).
const SELF: u32 = 1;

fn main() -> Result<()> {
    let port = std::env::args().nth(1).context("a port is needed")?.parse()?;
    let mut request = String::new();
    std::io::stdin().read_to_string(&mut request)?;

    let socket = socket(AddressFamily::Vsock, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)?;
    connect(socket.as_raw_fd(), &VsockAddr::new(SELF, port)).context("nobody listens")?;
    let mut stream = File::from(socket);
    stream.write_all(request.as_bytes())?;
    for line in BufReader::new(stream).lines().take(request.lines().count() - usize::from(!request.ends_with('\n'))) {
        println!("{}", line?);
    }
    Ok(())
}
