//! A file system whose driver has stopped answering, as a disk behind a broken cable or a server that is gone has: nobody
//! waits for it but a thread of the agent's that does nothing else.

use bulkhead_lifecycle::{Process, soon, within};
use bulkhead_test_support::{Agent, Client, Scratch, agent_under_test};
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// How long the agent waits for a file system.
const PATIENCE: Duration = Duration::from_secs(2);

/// In a thread of its own, for that alone gets a mount table of its own.
#[test]
fn the_others_are_told() {
    if !nix::unistd::geteuid().is_root() || !Path::new("/dev/fuse").exists() {
        println!("skipped: needs root and /dev/fuse");
        return;
    }
    thread::spawn(story).join().expect("the story ends well");
}

fn story() {
    let private = None::<&str>;
    unshare(CloneFlags::CLONE_NEWNS).expect("root may have a mount table");
    mount(private, "/", private, MsFlags::MS_REC | MsFlags::MS_PRIVATE, private).expect("mounts can be made private");
    let scratch = Scratch::new("hung");
    let mut agent = Agent::start(&agent_under_test(), &[]);
    // Its end comes first: a process with a thread that waits like this cannot be killed.
    let hung = Hung::mount(&scratch);
    let process = Process::new(agent.pid());
    let mut client = agent.client();
    assert_eq!(client.call("guest-ping", Value::Null).ok(), json!({}));
    let threads = || threads(process);
    let before = threads();

    let (told, took) = ask(&mut client);
    assert!(took >= PATIENCE, "{took:?}");
    check(&told, &hung.place, false);
    soon("one thread is left", || threads() == before + 1);

    // It still waits, so nobody asks again.
    let (told, took) = ask(&mut client);
    assert!(took < PATIENCE, "{took:?}");
    check(&told, &hung.place, false);
    soon("no other is left", || threads() == before + 1);
    assert!(process.ticks_at_rest(Duration::from_secs(2)) <= 1, "it waits asleep");

    hung.answer();
    soon("the thread ends", || threads() == before);
    let (told, _) = ask(&mut client);
    check(&told, &hung.place, true);
    // An agent that ends while it waits leaves a thread behind, but not its channel: another one can take that.
    hung.keep_silent();
    ask(&mut client);
    drop(client);
    process.signal(Signal::SIGTERM);
    let socket = agent.scratch().join("socket");
    soon("nobody listens", || UnixStream::connect(&socket).is_err());
    assert_eq!(agent.child().try_wait().expect("it is ours"), None);
    drop(hung);
    assert!(within(Duration::from_secs(10), agent.child()).success());
}

fn ask(client: &mut Client) -> (Value, Duration) {
    let begin = Instant::now();
    let told = client.call("guest-get-fsinfo", Value::Null).ok();
    (told, begin.elapsed())
}

/// All file systems are listed, and all tell how full they are, except the one that does not `answer`.
fn check(told: &Value, hung: &Path, answers: bool) {
    let all = told.as_array().expect("a list");
    let hung = hung.to_str().expect("a plain path");
    assert!(all.iter().any(|it| it["mountpoint"] == hung && it["type"] == "fuseblk"), "{told}");
    for it in all {
        let has_sizes = ["used-bytes", "total-bytes", "total-bytes-privileged"].map(|size| it[size].is_u64());
        assert_eq!(has_sizes, [it["mountpoint"] != hung || answers; 3], "{it}");
    }
}

fn threads(process: Process) -> usize {
    fs::read_dir(format!("/proc/{}/task", process.pid())).expect("the agent runs").count()
}

/// A file system of fuse(4) on a loop device, whose driver is this process.
struct Hung {
    place: PathBuf,
    device: String,
    answers: Arc<AtomicBool>,
    over: Arc<AtomicBool>,
}

impl Hung {
    fn mount(scratch: &Scratch) -> Self {
        let (image, place) = (scratch.join("image"), scratch.join("place"));
        File::create(&image).expect("a fresh file").set_len(1 << 20).expect("a sparse file");
        fs::create_dir(&place).expect("a fresh folder");
        let output = Command::new("losetup").args(["--find", "--show"]).arg(&image).output().expect("losetup runs");
        let device = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        assert!(device.starts_with("/dev/"), "{output:?}");
        let channel = OpenOptions::new().read(true).write(true).custom_flags(nix::libc::O_NONBLOCK).open("/dev/fuse");
        let channel = channel.expect("root may open /dev/fuse");
        let options = format!("fd={},rootmode=40000,user_id=0,group_id=0", channel.as_raw_fd());
        let mounted = mount(Some(&*device), &place, Some("fuseblk"), MsFlags::empty(), Some(&*options));
        let hung = Hung { place, device, answers: Arc::default(), over: Arc::default() };
        mounted.expect("the kernel has fuseblk");
        let (answers, over) = (hung.answers.clone(), hung.over.clone());
        thread::spawn(move || serve(channel, &answers, &over));
        hung
    }

    /// From now on, what was asked before included.
    fn answer(&self) {
        self.answers.store(true, Ordering::SeqCst);
    }

    /// From now on.
    fn keep_silent(&self) {
        self.answers.store(false, Ordering::SeqCst);
    }
}

impl Drop for Hung {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        let _ = umount2(&self.place, MntFlags::MNT_DETACH);
        let _ = Command::new("losetup").args(["--detach", &self.device]).status();
    }
}

/// The driver: it says hello, and keeps all other questions until it is told to answer. Closing the channel ends the waiting of
/// everybody who still waits.
fn serve(mut channel: File, answers: &AtomicBool, over: &AtomicBool) {
    const HELLO: u32 = 26;
    let mut kept: Vec<Vec<u8>> = Vec::new();
    let mut request = vec![0; 1 << 20];
    while !over.load(Ordering::SeqCst) {
        if let Ok(length) = channel.read(&mut request) {
            kept.push(request[..length].to_vec());
        } else {
            thread::sleep(Duration::from_millis(5));
        }
        let ready = |request: &mut Vec<u8>| answers.load(Ordering::SeqCst) || number(request, 4) == HELLO;
        for request in kept.extract_if(.., ready) {
            let _ = channel.write(&answer(&request, number(&request, 4) == HELLO));
        }
    }
}

/// A header (length, error, the question's number) and what was asked for: `struct fuse_init_out`, else `struct
/// fuse_statfs_out` of linux/fuse.h, with ten blocks of 512 bytes, five of them free.
fn answer(request: &[u8], hello: bool) -> Vec<u8> {
    let mut body = vec![0_u8; if hello { 64 } else { 80 }];
    if hello {
        body[..8].copy_from_slice(&request[40..48]);
    } else {
        for (at, blocks) in [(0, 10), (8, 5), (16, 5)] {
            body[at] = blocks;
        }
        for at in [41, 49] {
            body[at] = 2;
        }
    }
    let length = u32::try_from(16 + body.len()).expect("it is short");
    [&length.to_ne_bytes(), &[0; 4], &request[8..16], body.as_slice()].concat()
}

fn number(request: &[u8], at: usize) -> u32 {
    u32::from_ne_bytes(request[at..at + 4].try_into().expect("four bytes"))
}
