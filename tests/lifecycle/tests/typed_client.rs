//! A client that is not ours: the Rust crate `qapi`, whose types come from QEMU's own schema. A reply that does not fit
//! them is an error there: a member that is missing, an unknown word, a number of the wrong kind.

use bulkhead_test_support::{Agent, agent_under_test};
use qapi::qga::{
    GuestFileWhence, QGASeek, guest_file_close, guest_file_flush, guest_file_open, guest_file_read, guest_file_seek,
    guest_file_write, guest_fsfreeze_status, guest_info, guest_ping,
};
use qapi::{ErrorClass, ExecuteError, Qga};
use std::os::unix::net::UnixStream;
use std::time::Duration;

fn connected(agent: &Agent) -> UnixStream {
    drop(agent.client());
    let stream = UnixStream::connect(agent.scratch().join("socket")).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream
}

#[test]
fn it_finds_what_it_expects() {
    let agent = Agent::start(&agent_under_test(), &[]);
    let stream = connected(&agent);
    let mut client = Qga::from_stream(&stream);
    client.guest_sync(-77).unwrap();
    client.execute(&guest_ping {}).unwrap();

    let info = client.execute(&guest_info {}).unwrap();
    assert!(info.version.split('.').all(|part| part.parse::<u32>().is_ok()), "{}", info.version);
    let command = |name: &str| info.supported_commands.iter().find(|command| command.name == name).unwrap();
    assert!(command("guest-file-open").enabled && command("guest-file-open").success_response);
    assert!(!command("guest-shutdown").success_response);

    assert!(matches!(client.execute(&guest_fsfreeze_status {}).unwrap(), qapi::qga::GuestFsfreezeStatus::thawed));
}

#[test]
fn it_works_with_files() {
    let agent = Agent::start(&agent_under_test(), &[]);
    let stream = connected(&agent);
    let mut client = Qga::from_stream(&stream);
    let path = agent.scratch().join("file").to_str().unwrap().to_owned();

    let handle = client.execute(&guest_file_open { path: path.clone(), mode: Some("w+".to_owned()) }).unwrap();
    let content = b"ten bytes!".to_vec();
    let written = client.execute(&guest_file_write { handle, buf_b64: content.clone(), count: None }).unwrap();
    assert_eq!((written.count, written.eof), (10, false));
    client.execute(&guest_file_flush { handle }).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), content);

    let whence = GuestFileWhence::name(QGASeek::set);
    let sought = client.execute(&guest_file_seek { handle, offset: 4, whence }).unwrap();
    assert_eq!((sought.position, sought.eof), (4, false));
    let read = client.execute(&guest_file_read { handle, count: None }).unwrap();
    assert_eq!((read.buf_b64.as_slice(), read.count, read.eof), (&b"bytes!"[..], 6, true));

    client.execute(&guest_file_close { handle }).unwrap();
    let error = client.execute(&guest_file_close { handle }).unwrap_err();
    let ExecuteError::Qapi(error) = error else { panic!("not an error of the agent: {error}") };
    assert!(matches!(error.class, ErrorClass::GenericError));
    assert_eq!(error.desc, format!("handle '{handle}' has not been found"));
}
