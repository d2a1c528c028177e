//! `vsock-listen`, over the loopback (vsock(7), context id 1) where the kernel has it.

use super::activation::activated;
use bulkhead_lifecycle::{Running, agent_in, refused, warnings};
use bulkhead_test_support::Scratch;
use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, Backlog, SockFlag, SockType, VsockAddr, bind, connect, getsockname, listen, socket,
};
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::{Duration, Instant};

const LOOPBACK: u32 = 1;
const ANY: u32 = u32::MAX;

fn vsock() -> Result<OwnedFd, Errno> {
    socket(AddressFamily::Vsock, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)
}

fn connected(port: u32) -> Result<OwnedFd, Errno> {
    let client = vsock()?;
    connect(client.as_raw_fd(), &VsockAddr::new(LOOPBACK, port))?;
    Ok(client)
}

/// A port that was free just now, after a connection to it has shown that there is a loopback.
fn loopback_port() -> Result<u32, Errno> {
    let listener = vsock()?;
    bind(listener.as_raw_fd(), &VsockAddr::new(LOOPBACK, ANY))?;
    listen(&listener, Backlog::new(1)?)?;
    let port = getsockname::<VsockAddr>(listener.as_raw_fd())?.port();
    connected(port)?;
    Ok(port)
}

/// An agent that listens on a port of the loopback, and the port; nothing, with a printed reason, where there is no loopback.
fn listening(scratch: &Scratch, peers: &[&str]) -> Option<(Running, u32)> {
    let port = match loopback_port() {
        Ok(port) => port,
        Err(errno) => {
            println!("skipped: this kernel has no vsock loopback ({errno})");
            return None;
        }
    };
    let mut agent = agent_in(scratch);
    agent.args(["-m", "vsock-listen", "-p", &format!("{LOOPBACK}:{port}")]).args(peers);
    agent.stderr(File::create(scratch.join("log")).unwrap());
    Some((Running(agent.spawn().unwrap()), port))
}

/// A client that was let in by the kernel.
fn client(port: u32) -> File {
    let end = Instant::now() + Duration::from_secs(10);
    loop {
        match connected(port) {
            Ok(client) => return File::from(client),
            Err(errno) => assert!(Instant::now() < end, "cannot connect: {errno}"),
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// The line that comes back; empty if the agent closes instead.
fn asked(mut client: File, id: i64) -> String {
    // A client that was refused may see its write fail.
    let _ = write!(client, r#"{{"execute":"guest-sync","arguments":{{"id":{id}}}}}"#);
    let mut reply = String::new();
    let _ = BufReader::new(client).read_line(&mut reply);
    reply
}

#[test]
fn clients_are_served() {
    for peers in ["--vsock-peers=2,local", "--vsock-peers=any"] {
        let scratch = Scratch::new("vsock");
        let Some((_agent, port)) = listening(&scratch, &[peers]) else { return };
        for id in 1..=2 {
            assert_eq!(asked(client(port), id), format!("{{\"return\": {id}}}\n"));
        }
    }
}

/// Any process of the VM could be one of these.
#[test]
fn clients_that_are_not_the_host_are_refused() {
    for peers in [&[][..], &["--vsock-peers=2,3"]] {
        let scratch = Scratch::new("vsock-strangers");
        let Some((_agent, port)) = listening(&scratch, peers) else { return };
        for id in 1..=20 {
            assert_eq!(asked(client(port), id), "");
        }
        let log = std::fs::read_to_string(scratch.join("log")).unwrap();
        assert_eq!(warnings(&log).len(), 1, "it does not fill the log: {log}");
        assert!(log.contains("warning: a client from vsock context id 1 was refused"), "{log}");
    }
}

#[test]
fn a_socket_that_is_passed_has_the_same_peers() {
    if let Err(errno) = loopback_port() {
        return println!("skipped: this kernel has no vsock loopback ({errno})");
    }
    for (peers, answer) in [(&[][..], ""), (&["--vsock-peers=local"], "{\"return\": 1}\n")] {
        let listener = vsock().unwrap();
        bind(listener.as_raw_fd(), &VsockAddr::new(LOOPBACK, ANY)).unwrap();
        listen(&listener, Backlog::new(1).unwrap()).unwrap();
        let port = getsockname::<VsockAddr>(listener.as_raw_fd()).unwrap().port();
        let scratch = Scratch::new("vsock-passed");
        let mut agent = activated(&scratch, listener, 1);
        let _agent = Running(agent.args(peers).stderr(File::create(scratch.join("log")).unwrap()).spawn().unwrap());
        assert_eq!(asked(client(port), 1), answer);
    }
}

#[test]
fn peers_that_are_nobody_are_an_error() {
    let scratch = Scratch::new("vsock-peers");
    for peers in ["", "hsot", "2,any", "-1", "4294967295"] {
        let peers = format!("--vsock-peers={peers}");
        let said = refused(&scratch, &["-m", "vsock-listen", "-p", "1:1024", &peers]);
        assert!(said.contains("is not a vsock peer"), "{peers}: {said}");
    }
}

#[test]
fn an_address_is_two_numbers() {
    let scratch = Scratch::new("vsock-address");
    for address in ["", "1024", "any:1024", "1:", "1:2:3", "1:4294967296", "-1:1024"] {
        let said = refused(&scratch, &["-m", "vsock-listen", "-p", address]);
        assert!(said.contains(&format!("error parsing address '{address}'")), "{said}");
    }
    let said = refused(&scratch, &["-m", "vsock-listen"]);
    assert!(said.contains("must specify a path for this channel"), "{said}");
}

/// No VM has context id 0: it is the hypervisor's.
#[test]
fn an_address_that_is_not_ours_is_refused() {
    let said = refused(&Scratch::new("vsock-foreign"), &["-m", "vsock-listen", "-p", "0:1024"]);
    assert!(said.contains("failed to bind socket to 0:1024: "), "{said}");
}
