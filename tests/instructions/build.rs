//! Tells the program which compiler made it and for what: its counts are of these two.

use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let variable = |name: &str| std::env::var(name).unwrap_or_else(|error| panic!("{name}: {error}"));
    let version = Command::new(variable("RUSTC")).arg("--version").output().expect("rustc tells its version");
    let version = String::from_utf8_lossy(&version.stdout).split(' ').nth(1).unwrap_or("unknown").to_owned();
    println!("cargo::rustc-env=BUILT_BY={version}");
    println!("cargo::rustc-env=BUILT_FOR={}", variable("TARGET"));
}
