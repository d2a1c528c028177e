//! Networks of the largest size that the host reads, on a system that pretends: containers leak interfaces, routers have many
//! routes, and a compartment has 16 MiB.

use bulkhead_fault::House;
use bulkhead_sys::{Address, Fake};
use serde_json::Value;
use std::fmt::Write;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::{Duration, Instant};

/// The most that the host reads of a file, in bytes.
const FILE_LIMIT: usize = 4 << 20;

/// Interfaces with a hardware address and one of each version, and the text of what they have moved.
fn interfaces(count: usize) -> Fake {
    let system = Fake::default();
    let name = |number: usize| format!("veth-{number:010}").into_bytes();
    for number in 0..count {
        system.add_address(&name(number), Address::Hardware(vec![2, 0, 0, 0, 0, 1]));
    }
    for number in 0..count {
        system.add_address(&name(number), Address::Ipv4(Ipv4Addr::from_bits(number as u32), 32));
        system.add_address(&name(number), Address::Ipv6(Ipv6Addr::from_bits(number as u128 + (0x2001 << 112)), 128));
    }
    let figures = [u32::MAX; 15].map(|figure| figure.to_string()).join(" ");
    let mut text = String::new();
    for number in 0..count {
        writeln!(text, "veth-{number:010}: {figures}").unwrap();
    }
    system.write_system_file("/proc/net/dev", text);
    system
}

fn interfaces_of(house: &mut House) -> Vec<Value> {
    let told = house.success("guest-network-get-interfaces");
    told.as_array().expect("a list").clone()
}

#[test]
fn all_interfaces_that_the_host_lists_are_told() {
    // Three addresses each, 65,536 in all.
    let told = interfaces_of(&mut House::new(&interfaces(65_536 / 3)));
    assert_eq!(told.len(), 21_845);
    assert!(told.iter().all(|it| it["ip-addresses"].as_array().is_some_and(|all| all.len() == 2)));
    assert_eq!(told[21_844]["name"], "veth-0000021844");
    assert!(told[21_844]["statistics"].is_object());

    let bare = Fake::default();
    for number in 0..65_536 {
        bare.add_address(format!("veth-{number:010}").as_bytes(), Address::Hardware(vec![2, 0, 0, 0, 0, 1]));
    }
    assert_eq!(interfaces_of(&mut House::new(&bare)).len(), 65_536);

    let failure = House::new(&interfaces(30_000)).failure("guest-network-get-interfaces");
    assert_eq!(failure, "getifaddrs failed: Value too large for defined data type");
}

#[test]
fn the_work_grows_with_the_interfaces_and_no_faster() {
    let time = |count: usize| {
        let mut house = House::new(&interfaces(count));
        let once = |_| {
            let begin = Instant::now();
            assert_eq!(interfaces_of(&mut house).len(), count);
            begin.elapsed()
        };
        (0..5).map(once).min().unwrap_or(Duration::MAX)
    };
    let (few, many) = (time(500), time(10_000));
    // Twenty times as many. Were each looked up among all others, it would be four hundred times as long.
    assert!(many < few * 100, "{few:?} for 500, {many:?} for 10,000");
}

#[test]
fn routing_tables_of_the_largest_size_are_told() {
    let (ipv4, ipv6) = (
        format!("{:<127}\n", "a-long-name-of0\t0002A8C0\t0102A8C0\t0003\t1\t2\t3\t00FFFFFF\t1500\t4\t5"),
        format!("{0} 40 {0} 00 {0} 00000100 00000001 00000002 00000001  a-long-name-of0\n", "20010db8".repeat(4)),
    );
    let counts = [&ipv4, &ipv6].map(|line| FILE_LIMIT / line.len());
    let system = Fake::default();
    system.write_system_file("/proc/net/route", ipv4.repeat(counts[0]));
    system.write_system_file("/proc/net/ipv6_route", ipv6.repeat(counts[1]));
    let told = House::new(&system).success("guest-network-get-route");
    let told = told.as_array().expect("a list");
    assert_eq!(told.len(), counts.iter().sum::<usize>());
    assert_eq!(told.iter().filter(|route| route["version"] == 6).count(), counts[1]);

    system.write_system_file("/proc/net/route", ipv4.repeat(counts[0] + 1));
    let failure = House::new(&system).failure("guest-network-get-route");
    assert_eq!(failure, "/proc/net/route: the routing table is too long (4 MiB are read)");
}
