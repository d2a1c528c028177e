//! Processors and memory that are added while the agent runs, on a machine whose /sys is made up: nothing of the real one is
//! switched. What the kernel would tell, this test tells.

use bulkhead_lifecycle::{Process, soon};
use bulkhead_test_support::{Agent, Scratch, agent_under_test};
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::Signal;
use nix::sys::socket::{AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, sendto, socket};
use serde_json::{Value, json};
use std::fs;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

const WITHOUT: &str = "version = 1\nprofile = \"standard\"\n";
const ONLINE: &str = "version = 1\nprofile = \"standard\"\n[hotplug]\nonline = true\n";

/// A folder in the place of /sys/devices/system.
struct Machine(PathBuf);

impl Machine {
    fn new(scratch: &Scratch) -> Self {
        let machine = Machine(scratch.folder("system"));
        machine.put("cpu/cpu1/online", "1\n");
        machine.put("cpu/cpu2/online", "0\n");
        machine.put("memory/memory7/state", "offline\n");
        machine.put("memory/auto_online_blocks", "offline\n");
        machine
    }

    fn put(&self, file: &str, text: &str) {
        let path = self.0.join(file);
        fs::create_dir_all(path.parent().expect("it is below the folder")).unwrap();
        fs::write(path, text).unwrap();
    }

    /// The first word of a file. What writes to it does not shorten it, as the kernel would.
    fn says(&self, file: &str, word: &str) -> bool {
        fs::read_to_string(self.0.join(file)).unwrap().starts_with(word)
    }
}

/// Says to the agent what the kernel says to everybody.
fn tell(agent: &Agent, message: &str) {
    let kind = SockProtocol::NetlinkKObjectUEvent;
    let socket = socket(AddressFamily::Netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC, kind).unwrap();
    let text = [message.as_bytes(), b"\0ACTION=add\0"].concat();
    sendto(socket.as_raw_fd(), &text, &NetlinkAddr::new(agent.pid(), 0), MsgFlags::empty()).unwrap();
}

fn policy(agent: &Agent, text: &str) {
    fs::write(agent.scratch().join("policy.toml"), text).unwrap();
    Process::new(agent.pid()).signal(Signal::SIGHUP);
}

/// In a thread of its own, for that alone gets mounts and a network of its own.
#[test]
fn what_is_added_is_taken_into_use_if_the_owner_says_so() {
    if !nix::unistd::geteuid().is_root() {
        println!("skipped: needs root");
        return;
    }
    thread::spawn(story).join().expect("the story ends well");
}

fn story() {
    let private = None::<&str>;
    unshare(CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWNET).expect("root may have mounts of its own");
    mount(private, "/", private, MsFlags::MS_REC | MsFlags::MS_PRIVATE, private).expect("mounts can be made private");
    let scratch = Scratch::new("additions");
    let machine = Machine::new(&scratch);
    mount(Some(&machine.0), Path::new("/sys/devices/system"), private, MsFlags::MS_BIND, private)
        .expect("the folder can be put there");
    let file = scratch.file("policy.toml", WITHOUT);
    let agent = Agent::start_in(scratch, &agent_under_test(), &["--policy", file.to_str().unwrap()], &[]);
    let mut client = agent.client();
    assert_eq!(client.call("guest-ping", Value::Null).ok(), json!({}));
    assert!(machine.says("cpu/cpu2/online", "0"), "nobody has said so");

    policy(&agent, ONLINE);
    soon("what is there is taken into use", || machine.says("memory/memory7/state", "online"));
    assert!(machine.says("cpu/cpu2/online", "1"));

    // What a client takes out of use stays so, whatever else comes.
    machine.put("cpu/cpu1/online", "0\n");
    machine.put("cpu/cpu3/online", "0\n");
    machine.put("memory/memory8/state", "offline\n");
    tell(&agent, "add@/devices/virtual/net/veth0");
    tell(&agent, "add@/devices/system/cpu/cpu3");
    tell(&agent, "add@/devices/system/memory/memory8");
    soon("what is added is taken into use", || machine.says("memory/memory8/state", "online"));
    assert!(machine.says("cpu/cpu3/online", "1") && machine.says("cpu/cpu1/online", "0"));
    assert!(Process::new(agent.pid()).ticks_at_rest(Duration::from_secs(1)) <= 1, "it waits asleep");
    assert_eq!(client.call("guest-ping", Value::Null).ok(), json!({}));

    policy(&agent, WITHOUT);
    soon("the policy is another one", || agent.log().matches("the policy was replaced").count() == 2);
    assert_eq!(client.call("guest-ping", Value::Null).ok(), json!({}));
    machine.put("cpu/cpu3/online", "0\n");
    let kind = SockProtocol::NetlinkKObjectUEvent;
    let socket = socket(AddressFamily::Netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC, kind).unwrap();
    let deaf = || {
        let to = NetlinkAddr::new(agent.pid(), 0);
        sendto(socket.as_raw_fd(), b"add@/devices/system/cpu/cpu3\0", &to, MsgFlags::empty()).is_err()
    };
    soon("nobody listens any more", deaf);
    assert!(machine.says("cpu/cpu3/online", "0"));
}
