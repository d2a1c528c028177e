//! What the agent reports and changes in a Debian with systemd, compared with what the system's own tools say behind
//! its back. Every reply is checked against the schema, too.
//!
//! The checks share one VM, so this program brings its own `main`: `cargo test -p bulkhead-e2e --test system -- disks`
//! runs those whose names contain "disks". With `--include-ignored` all is repeated on a processor without SSSE3.

mod accounts;
mod clock;
mod devices;
mod freeze;
mod hotplug;
mod identity;
mod network;
mod policy;
mod programs;
mod statistics;
mod storage;

use bulkhead_e2e::{Check, Lab, Vm};
use std::process::ExitCode;

/// In this order: those that could spoil the VM for others come last.
const CHECKS: &[Check] = &[
    ("fsinfo", &["guest-get-fsinfo"], storage::fsinfo),
    ("fsinfo_disks", &["guest-get-fsinfo"], storage::fsinfo_disks),
    ("disks", &["guest-get-disks"], storage::disks),
    ("trim", &["guest-fstrim"], storage::trim),
    ("interfaces", &["guest-network-get-interfaces"], network::interfaces),
    ("routes", &["guest-network-get-route"], network::routes),
    ("load", &["guest-get-load"], statistics::load),
    ("cpustats", &["guest-get-cpustats"], statistics::processors),
    ("diskstats", &["guest-get-diskstats"], statistics::disks),
    ("osinfo", &["guest-get-osinfo"], identity::osinfo),
    ("host_name", &["guest-get-host-name"], identity::host_name),
    ("timezone", &["guest-get-timezone"], identity::timezone),
    ("users", &["guest-get-users"], identity::users),
    ("exec", &["guest-exec", "guest-exec-status"], programs::exec),
    ("exec_ends", &["guest-exec", "guest-exec-status"], programs::ends),
    ("password", &["guest-set-user-password"], accounts::password),
    ("ssh_keys", accounts::SSH, accounts::ssh_keys),
    ("vcpus", &["guest-get-vcpus", "guest-set-vcpus"], hotplug::vcpus),
    ("memory_blocks", hotplug::MEMORY, hotplug::memory_blocks),
    ("time", &["guest-get-time", "guest-set-time"], clock::time),
    ("policy_reloaded", &["guest-exec"], policy::reloaded),
    ("policy_files", &["guest-file-open"], policy::files),
    ("policy_audited", &["guest-ping"], policy::audited),
    ("freeze", &["guest-fsfreeze-freeze", "guest-fsfreeze-thaw"], freeze::everything),
];

fn main() -> ExitCode {
    // Those of the usual test programs, as far as they concern this one.
    let (options, filters): (Vec<_>, Vec<_>) = std::env::args().skip(1).partition(|word| word.starts_with("--"));
    let chosen = |name: &str| filters.is_empty() || filters.iter().any(|filter| name.contains(filter.as_str()));
    let checks: Vec<Check> = CHECKS.iter().filter(|(name, ..)| chosen(name)).copied().collect();
    if options.iter().any(|option| option == "--list") {
        checks.iter().for_each(|(name, ..)| println!("{name}: test"));
        return ExitCode::SUCCESS;
    }

    let mut failed = 0;
    for cpu in ["Westmere", "qemu64"] {
        if checks.is_empty() {
            continue;
        }
        if cpu != "Westmere" && !options.iter().any(|option| option == "--include-ignored") {
            println!("checks on {cpu} ... ignored, takes two minutes: make e2e");
            continue;
        }
        let Some(vm) = Vm::system().cpu(cpu).start() else { continue };
        failed += Lab::new(vm).run(cpu, &checks);
    }
    println!("{} checks, {failed} failed", checks.len());
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
