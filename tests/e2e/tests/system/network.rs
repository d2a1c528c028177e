//! Interfaces and routes, as `ip -json` knows them.

use bulkhead_e2e::{Lab, find, list, names, text};
use serde_json::{Value, json};
use std::collections::BTreeSet;

pub(crate) fn interfaces(lab: &mut Lab) {
    let before = lab.json("ip -json -statistics address");
    let reply = lab.call("guest-network-get-interfaces", Value::Null);
    let after = lab.json("ip -json -statistics address");
    assert_eq!(names(&reply, "name"), names(&before, "ifname"));
    assert_eq!(list(&reply).len(), 4, "lo, two cards and one without an address, each once: {reply}");

    for truth in list(&before) {
        let name = text(&truth["ifname"]);
        let found = find(&reply, "name", name);
        assert_eq!(found["hardware-address"], truth["address"], "{name}");

        let expected: BTreeSet<String> = list(&truth["addr_info"]).iter().map(address).collect();
        let addresses = found.get("ip-addresses").map_or(&[][..], list);
        let said: BTreeSet<String> = addresses.iter().map(words).collect();
        assert_eq!(said, expected, "{name}");
        assert_eq!(addresses.len(), expected.len(), "each once: {found}");

        let later = find(&after, "ifname", name);
        match found.get("statistics") {
            Some(statistics) => counters(statistics, &truth["stats64"], &later["stats64"], name),
            None => assert!(expected.is_empty(), "{name} has addresses, so it has counters"),
        }
    }
    // More than nothing was compared.
    let first = find(&reply, "name", "eth0");
    assert!(first["statistics"]["rx-bytes"].as_i64().unwrap() > 0, "{first}");
    let families = names(&first["ip-addresses"], "ip-address-type");
    assert_eq!(families, ["ipv4", "ipv6"].map(str::to_owned).into(), "{first}");
}

/// `ip`'s words in the protocol's.
fn address(info: &Value) -> String {
    let family = if info["family"] == "inet" { "ipv4" } else { "ipv6" };
    words(&json!({ "ip-address": info["local"], "ip-address-type": family, "prefix": info["prefixlen"] }))
}

/// Comparable, whatever the order of the members.
fn words(address: &Value) -> String {
    format!("{} {}/{}", address["ip-address-type"], address["ip-address"], address["prefix"])
}

/// Counters only grow: what the agent says lies between two looks.
fn counters(found: &Value, before: &Value, after: &Value, name: &str) {
    for direction in ["rx", "tx"] {
        for (member, column) in [("bytes", "bytes"), ("packets", "packets"), ("errs", "errors"), ("dropped", "dropped")]
        {
            let value = found[format!("{direction}-{member}")].as_u64().unwrap();
            let [low, high] = [before, after].map(|stats| stats[direction][column].as_u64().unwrap());
            assert!((low..=high).contains(&value), "{name} {direction}-{member}: {value} is not in {low}..={high}");
        }
    }
}

pub(crate) fn routes(lab: &mut Lab) {
    let reply = lab.call("guest-network-get-route", Value::Null);
    let table = lab.json("ip -json -4 route show table main");
    let found: Vec<&Value> = list(&reply).iter().filter(|route| route["version"] == 4).collect();
    assert_eq!(found.len(), list(&table).len(), "{found:?}, {table}");
    for truth in list(&table) {
        let (destination, length) = network(truth, "0.0.0.0", 32);
        let matches = |route: &&&Value| {
            route["iface"] == truth["dev"]
                && route["destination"] == destination
                && route["metric"] == truth.get("metric").cloned().unwrap_or(json!(0))
                && route["gateway"] == truth.get("gateway").cloned().unwrap_or(json!("0.0.0.0"))
                && prefix(text(&route["mask"])) == length
        };
        assert!(found.iter().any(|route| matches(&route)), "{truth} is not in {found:?}");
    }

    // The kernel's file has the local table and multicast, too. Nothing of it is left out, and of the main table everything
    // is right.
    let table = lab.json("ip -json -6 route show table main");
    let found: Vec<&Value> = list(&reply).iter().filter(|route| route["version"] == 6).collect();
    assert_eq!(found.len() as i64, lab.number("wc -l < /proc/net/ipv6_route"), "{found:?}");
    assert!(!list(&table).is_empty());
    for truth in list(&table) {
        let (destination, length) = network(truth, "::", 128);
        let matches = |route: &&&Value| {
            route["iface"] == truth["dev"]
                && plain(text(&route["destination"])) == plain(&destination)
                && text(&route["desprefixlen"]).parse() == Ok(length)
                && route["metric"] == truth.get("metric").cloned().unwrap_or(json!(0))
                && truth.get("gateway").is_none_or(|gateway| plain(text(&route["nexthop"])) == plain(text(gateway)))
        };
        assert!(found.iter().any(|route| matches(&route)), "{truth} is not in {found:?}");
    }
}

/// "default", "10.0.2.0/24" or a host's address: the network and the length of its prefix.
fn network(route: &Value, default: &str, longest: u32) -> (String, u32) {
    match text(&route["dst"]) {
        "default" => (default.to_owned(), 0),
        network => match network.split_once('/') {
            Some((address, length)) => (address.to_owned(), length.parse().unwrap()),
            None => (network.to_owned(), longest),
        },
    }
}

fn prefix(mask: &str) -> u32 {
    u32::from(mask.parse::<std::net::Ipv4Addr>().unwrap()).leading_ones()
}

fn plain(address: &str) -> std::net::Ipv6Addr {
    address.parse().unwrap_or_else(|_| panic!("{address:?} is no IPv6 address"))
}
