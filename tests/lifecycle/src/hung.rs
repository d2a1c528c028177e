//! A file system whose driver stops answering, as a disk behind a broken cable or a server that is gone does, and as any user can
//! have one (FUSE). Its driver is this process.

use bulkhead_test_support::Scratch;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

/// What the driver answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Answers {
    /// Nothing but the kernel's first question.
    Nothing,
    /// How full it is.
    Sizes,
    /// What is there: whatever one looks for, a regular file of a hundred bytes that everybody may execute, which can be opened.
    /// Reading it, and closing it, is not answered.
    Names,
    /// As `All`, but whoever closes a file hears that there was no room for what was written.
    Full,
    /// That, and what is written to it is taken.
    All,
}

const OVER: u8 = u8::MAX;

/// The file system. Dropping it ends the waiting of everybody who still waits.
#[derive(Debug)]
pub struct Hung {
    /// Where it is mounted.
    pub place: PathBuf,
    device: Option<String>,
    answers: Arc<AtomicU8>,
    released: Arc<AtomicUsize>,
}

/// Tells a story in a thread of its own, for that alone gets a mount table of its own; nothing where that cannot be.
pub fn with_hung_file_systems(story: fn()) {
    if !nix::unistd::geteuid().is_root() || !Path::new("/dev/fuse").exists() {
        println!("skipped: needs root and /dev/fuse");
        return;
    }
    let told = thread::spawn(move || {
        let private = None::<&str>;
        unshare(CloneFlags::CLONE_NEWNS).expect("root may have a mount table");
        mount(private, "/", private, MsFlags::MS_REC | MsFlags::MS_PRIVATE, private)
            .expect("mounts can be made private");
        story();
    });
    told.join().expect("the story ends well");
}

impl Hung {
    /// One on a loop device.
    pub fn disk(scratch: &Scratch) -> Self {
        let image = scratch.join("image");
        File::create(&image).expect("a fresh file").set_len(1 << 20).expect("a sparse file");
        let output = Command::new("losetup").args(["--find", "--show"]).arg(&image).output().expect("losetup runs");
        let device = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        assert!(device.starts_with("/dev/"), "{output:?}");
        Self::mount(scratch.join("place"), "fuseblk", &device.clone(), Some(device))
    }

    /// One that has no device, as users have them. `source` is what the table of mounts says of it.
    pub fn folder(place: PathBuf, source: &str) -> Self {
        Self::mount(place, "fuse", source, None)
    }

    fn mount(place: PathBuf, kind: &str, source: &str, device: Option<String>) -> Self {
        fs::create_dir(&place).expect("a fresh folder");
        let channel = OpenOptions::new().read(true).write(true).custom_flags(nix::libc::O_NONBLOCK).open("/dev/fuse");
        let channel = channel.expect("root may open /dev/fuse");
        let options = format!("fd={},rootmode=40000,user_id=0,group_id=0", channel.as_raw_fd());
        let mounted = mount(Some(source), &place, Some(kind), MsFlags::empty(), Some(&*options));
        let answers = Arc::new(AtomicU8::new(Answers::Nothing as u8));
        let hung = Hung { place, device, answers, released: Arc::default() };
        mounted.expect("the kernel has fuse");
        let (answers, released) = (hung.answers.clone(), hung.released.clone());
        thread::spawn(move || serve(channel, &answers, &released));
        hung
    }

    /// From now on, what was asked before included.
    pub fn answer(&self, what: Answers) {
        self.answers.store(what as u8, Ordering::SeqCst);
    }

    /// Whether it answers who writes.
    pub fn takes_writes(&self) -> bool {
        self.answers.load(Ordering::SeqCst) >= Answers::Full as u8
    }

    /// How many open files it has been told to be done with.
    pub fn released(&self) -> usize {
        self.released.load(Ordering::SeqCst)
    }
}

impl Drop for Hung {
    fn drop(&mut self) {
        self.answers.store(OVER, Ordering::SeqCst);
        let _ = umount2(&self.place, MntFlags::MNT_DETACH);
        if let Some(device) = &self.device {
            let _ = Command::new("losetup").args(["--detach", device]).status();
        }
    }
}

/// The numbers of questions in linux/fuse.h.
const LOOKUP: u32 = 1;
const GETATTR: u32 = 3;
const OPEN: u32 = 14;
const READ: u32 = 15;
const WRITE: u32 = 16;
const STATFS: u32 = 17;
const RELEASE: u32 = 18;
const FLUSH: u32 = 25;
const HELLO: u32 = 26;

/// The driver: it says hello, and keeps all other questions until it is told to answer. Closing the channel ends the waiting of
/// everybody who still waits.
fn serve(mut channel: File, answers: &AtomicU8, released: &AtomicUsize) {
    let mut kept: Vec<Vec<u8>> = Vec::new();
    let mut request = vec![0; 1 << 20];
    loop {
        let answered = answers.load(Ordering::SeqCst);
        if answered == OVER {
            return;
        }
        if let Ok(length) = channel.read(&mut request) {
            released.fetch_add(usize::from(number(&request, 4) == RELEASE), Ordering::SeqCst);
            kept.push(request[..length].to_vec());
        } else {
            thread::sleep(Duration::from_millis(5));
        }
        let ready = |request: &mut Vec<u8>| match number(request, 4) {
            HELLO => true,
            STATFS => answered >= Answers::Sizes as u8,
            LOOKUP | GETATTR | OPEN => answered >= Answers::Names as u8,
            _ => answered >= Answers::Full as u8,
        };
        for request in kept.extract_if(.., ready) {
            let error = match number(&request, 4) {
                FLUSH if answered == Answers::Full as u8 => -nix::libc::ENOSPC,
                LOOKUP | GETATTR | OPEN | READ | WRITE | STATFS | RELEASE | FLUSH | HELLO => 0,
                // Attributes with names, for one, which the kernel asks for before it writes.
                _ => -nix::libc::ENOSYS,
            };
            let body = if error == 0 { answer(&request) } else { Vec::new() };
            let length = u32::try_from(16 + body.len()).expect("it is short");
            let head = [&length.to_ne_bytes(), &error.to_ne_bytes(), &request[8..16]].concat();
            let _ = channel.write(&[head, body].concat());
        }
    }
}

/// What was asked for: `struct fuse_init_out`, `fuse_statfs_out`, `fuse_entry_out`, `fuse_attr_out`, `fuse_write_out`,
/// `fuse_open_out` of linux/fuse.h. Of ten blocks of 512 bytes five are free. Nothing that is told may be remembered.
fn answer(request: &[u8]) -> Vec<u8> {
    const FOLDER: u64 = 1;
    const FILE: u64 = 2;
    let mut body = Vec::new();
    match number(request, 4) {
        HELLO => {
            body.extend_from_slice(&request[40..48]);
            body.resize(64, 0);
        }
        STATFS => {
            body.resize(80, 0);
            for (at, blocks) in [(0, 10), (8, 5), (16, 5)] {
                body[at] = blocks;
            }
            for at in [41, 49] {
                body[at] = 2;
            }
        }
        LOOKUP => {
            body.extend_from_slice(&FILE.to_ne_bytes());
            body.resize(40, 0);
            body.extend_from_slice(&attributes(FILE));
        }
        GETATTR => {
            let node = u64::from_ne_bytes(request[16..24].try_into().expect("eight bytes"));
            body.resize(16, 0);
            body.extend_from_slice(&attributes(if node == FOLDER { FOLDER } else { FILE }));
        }
        // All that was to be written; there is nothing to read.
        WRITE => {
            body.extend_from_slice(&request[56..60]);
            body.resize(8, 0);
        }
        READ | FLUSH | RELEASE => {}
        _ => body.resize(16, 0),
    }
    return body;

    fn attributes(node: u64) -> Vec<u8> {
        let (mode, size): (u32, u64) = if node == FOLDER { (0o40755, 0) } else { (0o100_755, 100) };
        let mut attributes = [node.to_ne_bytes(), size.to_ne_bytes()].concat();
        attributes.resize(60, 0);
        attributes.extend_from_slice(&mode.to_ne_bytes());
        attributes.extend_from_slice(&1_u32.to_ne_bytes());
        attributes.resize(88, 0);
        attributes
    }
}

fn number(request: &[u8], at: usize) -> u32 {
    u32::from_ne_bytes(request[at..at + 4].try_into().expect("four bytes"))
}
