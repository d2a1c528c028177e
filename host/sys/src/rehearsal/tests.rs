use super::*;
use crate::processes::PRETENDED;
use crate::{
    Accounts, ClockSetting, Ending, Fake, Files, Freezer, Hotplug, Linux, Manner, MountError, ObjectKind, OpenFile,
    Output, Power, Processes, Program, Programs, Spawn, SystemFiles, Trimmed, Trimmer,
};
use std::time::Duration;

fn flags(read: bool, write: bool, create: bool) -> OpenFlags {
    OpenFlags { read, write, create, ..OpenFlags::default() }
}

fn on<S: System>(real: S) -> (Rehearsal<S>, Notes) {
    let notes = Notes::default();
    (Rehearsal::new(real, vec!["/data disk".to_owned(), "not absolute".to_owned()], notes.clone()), notes)
}

#[test]
fn nothing_is_done() {
    let fake = Fake::default();
    fake.mount("/data", None);
    fake.install("/sbin/halt", Ok(()));
    fake.add_user("alice", Ok(Some(b"key".to_vec())));
    let (system, _) = on(fake.clone());
    assert_eq!(system.freeze(b"/data", None), Ok(()));
    assert_eq!(system.thaw(b"/data"), Err(MountError::Failed(Errno::EINVAL)), "once, and that is all");
    assert_eq!(system.trim(b"/data", None, 512, Duration::ZERO), Ok(Trimmed { bytes: 0, minimum: 512 }));
    let program = Program {
        path: b"/sbin/halt".to_vec(),
        arguments: Vec::new(),
        input: b"secret".to_vec(),
        time_limit: Duration::from_secs(1),
        output_limit: 0,
    };
    assert_eq!(system.run(&program), Ok(()));
    let spawn = Spawn {
        path: b"/sbin/halt".to_vec(),
        arguments: vec![b"halt".to_vec()],
        environment: None,
        input: true,
        stdout: Output::Capture,
        stderr: Output::Capture,
        manner: Manner::default(),
    };
    assert_eq!(system.spawn(&spawn).map(|it| it.pid).ok(), Some(PRETENDED));
    assert_eq!(system.reap(PRETENDED), Ok(Some(Ending::Exited(0))));
    assert_eq!((system.set_time(0), system.set_processor(1, false)), (Ok(()), Ok(())));
    assert_eq!((system.set_memory_block(1, false), system.kernel_sleep("mem", Duration::ZERO)), (Ok(()), Ok(())));
    assert_eq!((system.write_keys("alice", b""), system.read_keys("alice", 9)), (Ok(()), Ok(Vec::new())));
    assert_eq!(fake.events(), [""; 0]);
    assert_eq!(fake.keys("alice"), Some(b"key".to_vec()));
    assert_eq!(fake.frozen(), [""; 0]);
}

/// On the real system: opening what is there neither empties it nor makes anything.
#[test]
fn what_is_opened_is_not_touched() {
    let folder = std::env::temp_dir().join(format!("bulkhead-rehearsal-{}", std::process::id()));
    std::fs::create_dir(&folder).unwrap();
    let path = |name: &str| folder.join(name).into_os_string().into_encoded_bytes();
    std::fs::write(folder.join("file"), "text").unwrap();
    let (system, notes) = on(Linux);
    let truncate = OpenFlags { truncate: true, ..flags(false, true, true) };
    assert!(system.open_file(&path("file"), truncate).is_ok());
    assert!(system.open_file(&path("new"), truncate).is_ok());
    assert_eq!(system.open_file(&path("new"), flags(true, false, false)).err(), Some(Errno::ENOENT));
    assert_eq!(system.open_file(&path("."), flags(false, true, false)).err(), Some(Errno::EISDIR));
    assert!(system.open_file(&path("no/such/folder"), flags(true, false, false)).is_ok(), "taken to be there");
    assert_eq!(std::fs::read_to_string(folder.join("file")).unwrap(), "text");
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!(notes.list().len(), 1, "{:?}", notes.list());
}

#[test]
fn what_is_missing_lies_where_its_name_says() {
    let (system, _) = on(Linux);
    let within = |path: &str, trees: &[&str]| system.locate(path.as_bytes(), trees).map(|found| found.within);
    let trees = ["/no/such", "/no/such/tree", "/", "/no/suc"];
    assert_eq!(within("/no/such/tree/file", &trees), Ok(vec![2, 0, 1]));
    assert_eq!(within("no/such/tree", &trees), Ok(vec![2, 0, 1]), "the agent's working directory is the root");
    assert_eq!(within("/no/such/tree/../file", &trees), Ok(vec![2, 0]), "no way out by dots");
    assert_eq!(within("/no/such/tree/../../../etc/passwd", &trees), Ok(vec![2]));
    let refused = system.open_file(b"/etc/passwd/x", flags(true, false, false)).err();
    assert_eq!(refused, Some(Errno::ENOTDIR), "what is there is as it is");
    let found = system.locate(b"/no/such/../such/file", &[]).unwrap();
    assert_eq!((found.path, found.kind), (b"/no/such/file".to_vec(), ObjectKind::File));
}

#[test]
fn one_that_reads_reads_and_writes_all_the_same_not() {
    let name = std::env::temp_dir().join(format!("bulkhead-rehearsal-reads-{}", std::process::id()));
    std::fs::write(&name, "text").unwrap();
    let path = name.to_str().unwrap().as_bytes();
    let system = Rehearsal::new(Linux, Vec::new(), Notes::default()).that_reads();
    let read = |file: OpenFile| {
        let mut text = Vec::new();
        file.read_more(&mut text, 100).map(|_| String::from_utf8(text).unwrap()).unwrap_or_default()
    };
    let reading = flags(true, false, false);
    assert_eq!(read(system.open_file(path, reading).unwrap()), "text");
    assert_eq!(read(system.open_located(&system.locate(path, &[]).unwrap(), reading).unwrap()), "text");
    let file = system.open_file(path, OpenFlags { truncate: true, ..flags(true, true, true) }).unwrap();
    file.write_all(b"other").unwrap();
    assert_eq!(std::fs::read(&name).unwrap(), b"text");
    std::fs::remove_file(&name).unwrap();
    assert_eq!(system.open_file(b"/no/such/folder/file", reading).err(), Some(Errno::ENOENT), "not taken to be there");
}

#[test]
fn programs_that_are_missing_are_taken_to_be_there() {
    let (system, notes) = on(Linux);
    assert_eq!(system.find_program(b"no-such-program", None), Ok(b"/usr/bin/no-such-program".to_vec()));
    let found = system.locate_program(b"/no/such/program").unwrap();
    assert_eq!(found.path, b"/no/such/program");
    assert!(system.is_executable(b"/sbin/poweroff"));
    let expected = [
        "/usr/bin/no-such-program is not there and was taken for a program",
        "/no/such/program is not there and was taken for a program",
    ];
    assert_eq!(notes.list(), expected);
    assert_eq!(system.find_program(b"passwd", Some(b"/etc")), Err(Errno::EACCES), "what is there is as it is");
}

#[test]
fn processors_that_are_missing_are_in_use() {
    let fake = Fake::default();
    fake.write_system_file("/sys/devices/system/cpu/cpu0/topology", "");
    let (system, notes) = on(fake);
    let read = |path: &str| system.read_system_file(b"/sys", path.as_bytes(), 100);
    assert_eq!(read("devices/system/cpu/cpu7/online"), Ok(b"1\n".to_vec()));
    assert_eq!(read("devices/system/memory/memory3/state"), Ok(b"online\n".to_vec()));
    assert_eq!(read("devices/system/cpu/cpu0/online"), Err(Errno::ENOENT), "it is there, and always in use");
    assert_eq!(read("block/vda/size"), Err(Errno::ENOENT));
    assert_eq!(notes.list().len(), 2);
}

#[test]
fn mount_points_are_added_to_the_table() {
    let points = |points: &[&str]| points.iter().map(|point| (*point).to_owned()).collect::<Vec<_>>();
    let real = b"1 0 254:1 / / rw - ext4 /dev/vda1 rw\n2 1 254:2 / /b\\040c rw - xfs /dev/vda2 rw".to_vec();
    let (table, added) = mounts::with(real.clone(), &points(&["/b c", "/new \\disk", "x"]));
    assert_eq!(added, ["/new \\disk"]);
    let line = "\n0 0 240:0 / /new\\040\\134disk rw - ext4 /dev/supposed rw\n";
    assert_eq!(String::from_utf8(table).unwrap(), String::from_utf8(real).unwrap() + line);
    let (_, added) = mounts::with(b"1 0 0:30 / / rw - overlay overlay rw\n".to_vec(), &[]);
    assert_eq!(added, ["/"], "a container has no disk");
}
