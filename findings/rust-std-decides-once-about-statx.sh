#!/usr/bin/env bash
# Rust's standard library falls back from a refused statx(2) only if it was refused the first time.
#
# Seen with Rust 1.95.0 (x86-64 Linux, glibc), libc 0.2.178 (Rust registry). The filter answers EPERM to statx alone, as filters do that are older than the call.
# A guess from memory: std::fs::metadata works under such a filter, for std knows EPERM and asks by fstat/stat then. Seen: it
# does so if the filter is there before the first question of the process. If one question was answered before, std has
# noted that statx is there, and every later one is an error for good, although stat(2) would answer.
# Why it matters: a program that starts, reads its configuration and confines itself then has done just that. Its list of
# permitted calls needs statx, however it fared in a container whose filter was there first.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir src
cat >Cargo.toml <<'END'
[package]
name = "asks"
edition = "2021"
[dependencies]
libc = "=0.2.178"
[workspace]
END
cat >src/main.rs <<'END'
/// From now on statx(2) is EPERM, and nothing else changes.
fn refuse_statx() {
    let step = |code, jt, jf, k| libc::sock_filter { code, jt, jf, k };
    let mut steps = [
        step(0x20, 0, 0, 0),
        step(0x15, 0, 1, libc::SYS_statx as u32),
        step(0x06, 0, 0, 0x0005_0000 | libc::EPERM as u32),
        step(0x06, 0, 0, 0x7fff_0000),
    ];
    let program = libc::sock_fprog { len: steps.len() as u16, filter: steps.as_mut_ptr() };
    unsafe {
        assert_eq!(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
        assert_eq!(libc::prctl(libc::PR_SET_SECCOMP, 2, &program), 0);
    }
}

fn ask() -> String {
    std::fs::metadata("/").map_or_else(|error| error.kind().to_string(), |_| "answered".to_owned())
}

fn main() {
    let is_late = std::env::args().nth(1).as_deref() == Some("late");
    let before = if is_late { ask() } else { "not asked".to_owned() };
    refuse_statx();
    println!("before the filter: {before}; behind it: {}, and again: {}", ask(), ask());
}
END
cargo build --quiet
cat >stated <<'END'
before the filter: not asked; behind it: answered, and again: answered
before the filter: answered; behind it: permission denied, and again: permission denied
END
for when in early late; do target/debug/asks "$when"; done | tee -a seen
diff -u --label stated --label seen stated seen && echo "as stated"
