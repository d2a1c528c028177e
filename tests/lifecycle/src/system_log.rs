//! The system's log, with somebody at its other end.

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use std::fs::File;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::thread;

/// Runs a story with a mount table of its own, which only a thread of its own can have. Nothing is run without root.
pub fn apart(story: fn()) {
    if !nix::unistd::geteuid().is_root() {
        println!("skipped: needs root");
        return;
    }
    let apart = move || {
        unshare(CloneFlags::CLONE_NEWNS).expect("root may have a mount table");
        let none = None::<&str>;
        mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none).expect("mounts can be made private");
        story();
    };
    thread::spawn(apart).join().expect("the story ends well");
}

/// What listens at /dev/log, in a /dev of its own: call it in a story that is [`apart`].
#[derive(Debug)]
pub struct SystemLog(UnixDatagram);

impl SystemLog {
    /// Listens.
    #[expect(clippy::new_without_default, reason = "it mounts something")]
    pub fn new() -> Self {
        let none = None::<&str>;
        // Held by descriptors, and not bound to another folder: whoever clears that folder away would clear away the machine's devices.
        let devices = ["null", "zero", "urandom"].map(|name| {
            let place = Path::new("/dev").join(name);
            (File::open(&place).expect("every system has these devices"), place)
        });
        mount(Some("none"), "/dev", Some("tmpfs"), MsFlags::empty(), Some("size=1m")).expect("root can mount a tmpfs");
        for (device, place) in devices {
            File::create(&place).expect("a tmpfs can be written");
            let held = format!("/proc/self/fd/{}", device.as_raw_fd());
            mount(Some(held.as_str()), &place, none, MsFlags::MS_BIND, none).expect("root can bind a device");
        }
        let socket = UnixDatagram::bind("/dev/log").expect("the place is free");
        socket.set_nonblocking(true).expect("a socket can be asked without waiting");
        SystemLog(socket)
    }

    /// What has arrived since the last look.
    pub fn heard(&self) -> Vec<String> {
        let mut buffer = vec![0; 1 << 16];
        let next =
            || self.0.recv(&mut buffer).ok().map(|length| String::from_utf8_lossy(&buffer[..length]).into_owned());
        std::iter::from_fn(next).collect()
    }
}
