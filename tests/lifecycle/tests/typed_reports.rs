//! The same typed client, on everything an agent reports and on programs: each reply fits QEMU's own types, and says of
//! this machine what the machine says of itself.

use bulkhead_test_support::{Agent, agent_under_test};
use qapi::qga;
use qapi::{Command, Qga};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::net::UnixStream;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Has an agent execute one command.
fn ask<C: Command + qga::QgaCommand>(command: &C) -> C::Ok {
    asked(&Agent::start(&agent_under_test(), &[]), command)
}

fn asked<C: Command + qga::QgaCommand>(agent: &Agent, command: &C) -> C::Ok {
    drop(agent.client());
    let stream = UnixStream::connect(agent.scratch().join("socket")).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let mut client = Qga::from_stream(&stream);
    client.guest_sync(7).unwrap();
    client.execute(command).unwrap_or_else(|error| panic!("{}: {error}", C::NAME))
}

/// A file of the kernel, without the line's end.
fn text(path: &str) -> String {
    fs::read_to_string(path).unwrap().trim_end().to_owned()
}

#[test]
fn names() {
    let found = ask(&qga::guest_get_osinfo {});
    assert_eq!(found.kernel_release, Some(text("/proc/sys/kernel/osrelease")));
    assert_eq!(found.kernel_version, Some(text("/proc/sys/kernel/version")));
    assert_eq!(found.machine.as_deref(), Some(std::env::consts::ARCH));
    assert_eq!(found.id.is_some(), fs::exists("/etc/os-release").unwrap());

    assert_eq!(ask(&qga::guest_get_host_name {}).host_name, text("/proc/sys/kernel/hostname"));
    let zone = ask(&qga::guest_get_timezone {});
    assert!((-12 * 3600..=14 * 3600).contains(&zone.offset) && zone.zone.is_some(), "{zone:?}");
    for user in ask(&qga::guest_get_users {}) {
        assert!(user.login_time > 0.0 && user.domain.is_none(), "{user:?}");
    }
}

#[test]
fn time() {
    let before = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
    let told = u128::try_from(ask(&qga::guest_get_time {})).unwrap();
    let after = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
    assert!((before - before % 1000..=after).contains(&told), "{before} {told} {after}");
    assert_eq!(told % 1000, 0, "as qemu-ga: of microseconds");
}

#[test]
fn processors_and_memory() {
    let mut found: Vec<_> = ask(&qga::guest_get_vcpus {}).into_iter().map(|cpu| cpu.logical_id).collect();
    found.sort_unstable();
    let all = (0..).take_while(|id| fs::exists(format!("/sys/devices/system/cpu/cpu{id}")).unwrap());
    assert_eq!(found, all.collect::<Vec<i64>>());

    let stats = ask(&qga::guest_get_cpustats {});
    let lines = text("/proc/stat").lines().filter(|line| line.starts_with("cpu")).count();
    assert_eq!(stats.len(), lines - 1, "one for each processor, none for their sum");

    let blocks = ask(&qga::guest_get_memory_blocks {});
    if fs::exists("/sys/devices/system/memory/block_size_bytes").unwrap() {
        let size = u64::from_str_radix(&text("/sys/devices/system/memory/block_size_bytes"), 16).unwrap();
        assert_eq!(ask(&qga::guest_get_memory_block_info {}).size, size);
        let told: BTreeMap<String, bool> =
            blocks.into_iter().map(|block| (format!("memory{}", block.phys_index), block.online)).collect();
        let folders = fs::read_dir("/sys/devices/system/memory").unwrap().map(Result::unwrap);
        let blocks = folders.filter(|folder| folder.path().join("phys_index").exists());
        let state = |folder: &fs::DirEntry| text(folder.path().join("state").to_str().unwrap()) == "online";
        let all = blocks.map(|folder| (folder.file_name().into_string().unwrap(), state(&folder)));
        assert_eq!(told, all.collect());
    } else {
        assert!(blocks.is_empty());
    }
}

#[test]
fn disks_and_file_systems() {
    let names: Vec<String> = ask(&qga::guest_get_diskstats {}).into_iter().map(|disk| disk.name).collect();
    let lines = text("/proc/diskstats");
    assert_eq!(names, lines.lines().map(|line| line.split_whitespace().nth(2).unwrap()).collect::<Vec<_>>());

    for disk in ask(&qga::guest_get_disks {}) {
        assert!(fs::exists(format!("/sys/class/block/{}", disk.name.trim_start_matches("/dev/"))).unwrap(), "{disk:?}");
        assert_eq!(disk.partition, disk.partition && !disk.dependencies.unwrap_or_default().is_empty());
    }
    let table = text("/proc/self/mountinfo");
    for mounted in ask(&qga::guest_get_fsinfo {}) {
        let (used, total) = (mounted.used_bytes.unwrap(), mounted.total_bytes.unwrap());
        assert!(used <= total && mounted.total_bytes_privileged.unwrap() >= total, "{mounted:?}");
        assert!(table.contains(&format!(" {} ", mounted.mountpoint)), "{mounted:?}");
    }
}

#[test]
fn network() {
    let found = ask(&qga::guest_network_get_interfaces {});
    let mut names: Vec<_> = found.iter().map(|interface| interface.name.clone()).collect();
    names.sort_unstable();
    let mut all: Vec<_> = fs::read_dir("/sys/class/net")
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    // bonding_masters and its like are files among the links.
    all.retain(|name| fs::exists(format!("/sys/class/net/{name}/address")).unwrap());
    all.sort_unstable();
    assert_eq!(names, all);
    let loopback = found.iter().find(|interface| interface.name == "lo").unwrap();
    assert_eq!(loopback.hardware_address.as_deref(), Some("00:00:00:00:00:00"));

    let routes = ask(&qga::guest_network_get_route {});
    let old = text("/proc/net/route").lines().count() - 1;
    assert_eq!(routes.iter().filter(|route| route.version == 4).count(), old);
}

#[test]
fn programs() {
    let agent = Agent::start(&agent_under_test(), &[]);
    let started = asked(
        &agent,
        &qga::guest_exec {
            path: "sh".to_owned(),
            arg: Some(vec!["-c".to_owned(), "cat; echo $NAME >&2; exit 3".to_owned()]),
            env: Some(vec!["NAME=value".to_owned(), "PATH=/usr/bin:/bin".to_owned()]),
            input_data: Some(b"typed".to_vec()),
            capture_output: Some(qga::GuestExecCaptureOutput::flag(true)),
        },
    );
    let status = loop {
        let status = asked(&agent, &qga::guest_exec_status { pid: started.pid });
        if status.exited {
            break status;
        }
    };
    assert_eq!((status.exitcode, status.signal), (Some(3), None));
    assert_eq!((status.out_data.as_deref(), status.err_data.as_deref()), (Some(&b"typed"[..]), Some(&b"value\n"[..])));
    assert_eq!((status.out_truncated, status.err_truncated), (Some(false), Some(false)));
}

/// Commands that change something, in the ways that change nothing.
#[test]
fn what_changes_nothing() {
    assert_eq!(ask(&qga::guest_set_vcpus { vcpus: Vec::new() }), 0);
    let block = qga::GuestMemoryBlock { phys_index: u64::MAX, online: true, can_offline: None };
    let refused = ask(&qga::guest_set_memory_blocks { mem_blks: vec![block] });
    assert!(matches!(refused[0].response, qga::GuestMemoryBlockResponseType::not_found), "{refused:?}");
}
