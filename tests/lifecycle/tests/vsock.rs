//! `vsock-listen`, over the loopback (vsock(7), context id 1) where the kernel has it.

use bulkhead_lifecycle::{Running, agent_in, refused};
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

#[test]
fn clients_are_served() {
    let port = match loopback_port() {
        Ok(port) => port,
        Err(errno) => return println!("skipped: this kernel has no vsock loopback ({errno})"),
    };
    let scratch = Scratch::new("vsock");
    let mut agent = agent_in(&scratch);
    let _agent = Running(agent.args(["-m", "vsock-listen", "-p", &format!("{LOOPBACK}:{port}")]).spawn().unwrap());
    for id in 1..=2 {
        let end = Instant::now() + Duration::from_secs(10);
        let mut client = loop {
            match connected(port) {
                Ok(client) => break File::from(client),
                Err(errno) => assert!(Instant::now() < end, "cannot connect: {errno}"),
            }
            std::thread::sleep(Duration::from_millis(2));
        };
        write!(client, r#"{{"execute":"guest-sync","arguments":{{"id":{id}}}}}"#).unwrap();
        let mut reply = String::new();
        BufReader::new(client).read_line(&mut reply).unwrap();
        assert_eq!(reply, format!("{{\"return\": {id}}}\n"));
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
