//! Listening sockets as channels.

use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, Backlog, SockFlag, SockType, SockaddrLike, SockaddrStorage, UnixAddr, VsockAddr, accept4, bind,
    connect, getpeername, getsockname, getsockopt, listen, socket, sockopt,
};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::path::Path;

/// How many clients may wait, connected, while one is served. As in qemu-ga: a queue would only hide that the agent
/// serves one client.
const BACKLOG: i32 = 1;

/// The first descriptor that sd_listen_fds(3) promises.
const LISTEN_FDS_START: i32 = 3;

/// Listens on a unix socket at `path`. A socket that nobody listens on is replaced: an agent that was killed leaves its
/// own behind. Anything else there, another agent's socket above all, is `EADDRINUSE`.
pub fn listen_unix(path: &Path) -> Result<OwnedFd, Errno> {
    let address = UnixAddr::new(path)?;
    if is_socket(path) {
        if !is_deserted(&address)? {
            return Err(Errno::EADDRINUSE);
        }
        nix::unistd::unlink(path)?;
    }
    listen_at(AddressFamily::Unix, &address)
}

/// Whether nobody listens there. Asks without blocking: a listener whose queue is full is a listener.
fn is_deserted(address: &UnixAddr) -> Result<bool, Errno> {
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let probe = socket(AddressFamily::Unix, SockType::Stream, flags, None)?;
    Ok(connect(probe.as_raw_fd(), address) == Err(Errno::ECONNREFUSED))
}

/// Listens on a vsock port (vsock(7)).
pub fn listen_vsock(cid: u32, port: u32) -> Result<OwnedFd, Errno> {
    listen_at(AddressFamily::Vsock, &VsockAddr::new(cid, port))
}

fn listen_at(family: AddressFamily, address: &dyn SockaddrLike) -> Result<OwnedFd, Errno> {
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let socket = socket(family, SockType::Stream, flags, None)?;
    bind(socket.as_raw_fd(), address)?;
    listen(&socket, Backlog::new(BACKLOG)?)?;
    Ok(socket)
}

fn is_socket(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt;
    path.symlink_metadata().is_ok_and(|found| found.file_type().is_socket())
}

/// Takes the next client of a listening socket, close-on-exec and without blocking; `EAGAIN` if there is none.
pub fn accept(listener: &OwnedFd) -> Result<OwnedFd, Errno> {
    let client = accept4(listener.as_raw_fd(), SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK)?;
    // SAFETY: accept4(2) has just made the descriptor, and nobody else knows its number.
    #[expect(unsafe_code, reason = "a descriptor that the kernel gave by number")]
    Ok(unsafe { OwnedFd::from_raw_fd(client) })
}

/// Whether it is a vsock socket.
pub fn is_vsock(socket: &OwnedFd) -> Result<bool, Errno> {
    let address: SockaddrStorage = getsockname(socket.as_raw_fd())?;
    Ok(address.family() == Some(AddressFamily::Vsock))
}

/// The context id of the machine at the other end of a vsock connection (vsock(7)), as the kernel knows it; `EINVAL` if it is
/// no vsock connection.
pub fn vsock_peer(client: &OwnedFd) -> Result<u32, Errno> {
    getpeername::<VsockAddr>(client.as_raw_fd()).map(|peer| peer.cid())
}

/// Takes over the listening socket that the service manager passed (sd_listen_fds(3): descriptor 3), and makes it
/// close-on-exec and non-blocking. `ENOTSOCK` or `EBADF` if there is none, `EAFNOSUPPORT` if it is neither a unix nor a
/// vsock socket, `EINVAL` if it does not listen. Call it once.
pub fn inherited() -> Result<OwnedFd, Errno> {
    use nix::fcntl::{FcntlArg, FdFlag, OFlag, fcntl};
    let address: SockaddrStorage = getsockname(LISTEN_FDS_START)?;
    match address.family() {
        Some(AddressFamily::Unix | AddressFamily::Vsock) => {}
        _ => return Err(Errno::EAFNOSUPPORT),
    }
    // SAFETY: getsockname(2) has just shown that the descriptor is open; the service manager gave it to this process,
    // nobody else here knows it, and the function is called once.
    #[expect(unsafe_code, reason = "a descriptor that was passed by number")]
    let socket = unsafe { OwnedFd::from_raw_fd(LISTEN_FDS_START) };
    if !getsockopt(&socket, sockopt::AcceptConn)? {
        return Err(Errno::EINVAL);
    }
    fcntl(&socket, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))?;
    let flags = OFlag::from_bits_truncate(fcntl(&socket, FcntlArg::F_GETFL)?);
    fcntl(&socket, FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK))?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A socket needs no loopback to be bound, but the kernel must have the family.
    #[test]
    fn a_vsock_socket_is_told_from_others() {
        let path = std::env::temp_dir().join(format!("bulkhead-socket-{}", std::process::id()));
        let unix = listen_unix(&path).unwrap();
        std::fs::remove_file(path).unwrap();
        assert_eq!(is_vsock(&unix), Ok(false));
        match listen_vsock(u32::MAX, u32::MAX) {
            Ok(vsock) => assert_eq!(is_vsock(&vsock), Ok(true)),
            Err(errno) => println!("left out: this kernel has no vsock ({errno})"),
        }
    }

    #[test]
    fn a_client_of_another_family_has_no_context_id() {
        let (client, _other) = std::os::unix::net::UnixStream::pair().unwrap();
        assert_eq!(vsock_peer(&client.into()), Err(Errno::EINVAL));
    }
}
