//! Hearing that the kernel was given a processor or memory (uevents of the kernel, netlink(7)).

use crate::SocketWatch;
use nix::errno::Errno;
use nix::libc;
use nix::sys::socket::{AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, bind, recv, socket};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

/// The group to which the kernel itself sends.
const KERNEL: u32 = 1;

/// How such a message begins. Others the kernel drops before they wake anybody.
const BEGIN: &[u8; 20] = b"add@/devices/system/";

/// How much of a message is read, in bytes: the path comes first, and is short.
const HEAD: usize = 256;

/// Something that was added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Added {
    /// The processor of this number.
    Processor(i64),
    /// The block of memory of this number.
    MemoryBlock(u64),
    /// Nobody can say what: more came at once than the kernel keeps.
    Unknown,
}

/// Tells what is added. It makes no wake-ups for anything else.
#[derive(Debug)]
pub struct AdditionWatch {
    socket: OwnedFd,
    ready: SocketWatch,
}

impl AdditionWatch {
    /// Hears what is added from now on. Needs tokio's context.
    pub fn new() -> io::Result<Self> {
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let kind = SockProtocol::NetlinkKObjectUEvent;
        let socket = socket(AddressFamily::Netlink, SockType::Raw, flags, kind)?;
        hear_only(&socket, BEGIN)?;
        bind(socket.as_raw_fd(), &NetlinkAddr::new(0, KERNEL))?;
        let ready = SocketWatch::new(&socket)?;
        Ok(AdditionWatch { socket, ready })
    }

    /// The next thing.
    pub async fn next(&self) -> io::Result<Added> {
        let mut head = [0; HEAD];
        loop {
            match recv(self.socket.as_raw_fd(), &mut head, MsgFlags::empty()) {
                Ok(length) => {
                    if let Some(added) = added(&head[..length]) {
                        return Ok(added);
                    }
                }
                Err(Errno::EAGAIN) => self.ready.changed().await?,
                Err(Errno::EINTR) => {}
                Err(Errno::ENOBUFS) => return Ok(Added::Unknown),
                Err(errno) => return Err(errno.into()),
            }
        }
    }
}

/// `add@/devices/system/cpu/cpu4`, and behind a NUL what does not matter here.
fn added(message: &[u8]) -> Option<Added> {
    let path = message.split(|byte| *byte == 0).next()?.strip_prefix(BEGIN)?;
    let path = std::str::from_utf8(path).ok()?;
    if let Some(number) = path.strip_prefix("cpu/cpu") {
        return number.parse().ok().map(Added::Processor);
    }
    path.strip_prefix("memory/memory")?.parse().ok().map(Added::MemoryBlock)
}

/// Has the kernel drop every message that does not begin so (socket(7), SO_ATTACH_FILTER).
fn hear_only(socket: &OwnedFd, begin: &[u8; 20]) -> Result<(), Errno> {
    let (words, _) = begin.as_chunks::<4>();
    let instruction = |code: u32, fails: usize, k: u32| libc::sock_filter {
        code: u16::try_from(code).unwrap_or_default(),
        jt: 0,
        jf: u8::try_from(fails).unwrap_or_default(),
        k,
    };
    let mut program = Vec::new();
    for (number, word) in words.iter().enumerate() {
        // Of what is behind it: the other words, two instructions each, and the end that takes the message.
        let fails = 2 * (words.len() - number - 1) + 1;
        let offset = u32::try_from(4 * number).unwrap_or_default();
        program.push(instruction(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, offset));
        program.push(instruction(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, fails, u32::from_be_bytes(*word)));
    }
    program.push(instruction(libc::BPF_RET | libc::BPF_K, 0, u32::MAX));
    program.push(instruction(libc::BPF_RET | libc::BPF_K, 0, 0));
    let length = libc::c_ushort::try_from(program.len()).map_err(|_| Errno::EINVAL)?;
    let filter = libc::sock_fprog { len: length, filter: program.as_mut_ptr() };
    let size = libc::socklen_t::try_from(size_of_val(&filter)).map_err(|_| Errno::EINVAL)?;
    // SAFETY: the kernel copies the program, which is as long as `filter` says, before the call comes back.
    #[expect(unsafe_code, reason = "nix has no SO_ATTACH_FILTER")]
    let result = unsafe {
        libc::setsockopt(socket.as_raw_fd(), libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, (&raw const filter).cast(), size)
    };
    Errno::result(result).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::socket::{send, socketpair};
    use std::time::Duration;

    #[test]
    fn a_message_names_what_was_added() {
        let of = |message: &str| added(message.as_bytes());
        assert_eq!(of("add@/devices/system/cpu/cpu12\0ACTION=add\0"), Some(Added::Processor(12)));
        assert_eq!(of("add@/devices/system/memory/memory40\0"), Some(Added::MemoryBlock(40)));
        for other in [
            "remove@/devices/system/cpu/cpu1",
            "online@/devices/system/cpu/cpu1",
            "add@/devices/system/cpu/cpu1/cache",
            "add@/devices/system/cpu/cpu",
            "add@/devices/system/memory",
            "add@/devices/system/node/node0",
            "add@/devices/virtual/net/veth0",
            "libudev\0",
            "",
        ] {
            assert_eq!(of(other), None, "{other}");
        }
    }

    #[test]
    fn the_kernel_drops_what_nobody_waits_for() {
        let (ours, theirs) =
            socketpair(AddressFamily::Unix, SockType::Datagram, None, SockFlag::SOCK_NONBLOCK).unwrap();
        hear_only(&ours, BEGIN).unwrap();
        let messages = [
            "add@/devices/virtual/net/veth0",
            "add@/dev",
            "",
            "add@/devices/system/cpu/cpu7",
            "change@/devices/system/cpu/cpu7",
        ];
        for message in messages {
            // One that is dropped is refused where nobody else could have taken it.
            let _ = send(theirs.as_raw_fd(), message.as_bytes(), MsgFlags::empty());
        }
        let mut head = [0; HEAD];
        let mut next = || recv(ours.as_raw_fd(), &mut head, MsgFlags::empty()).map(|length| added(&head[..length]));
        assert_eq!(next(), Ok(Some(Added::Processor(7))));
        assert_eq!(next(), Err(Errno::EAGAIN));
    }

    #[test]
    fn as_long_as_nothing_is_added_it_waits() {
        let tokio = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build().unwrap();
        let _context = tokio.enter();
        let watch = AdditionWatch::new().unwrap();
        let waited = tokio.block_on(async { tokio::time::timeout(Duration::from_millis(20), watch.next()).await });
        assert!(waited.is_err(), "{waited:?}");
    }
}
