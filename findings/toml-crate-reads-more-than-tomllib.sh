#!/usr/bin/env bash
# The Rust crate toml reads TOML 1.1: files that Python's tomllib, a reader of TOML 1.0, refuses.
#
# Packages: toml 1.2.1 (Rust registry); Python 3.11's own tomllib, which reads TOML 1.0.
# A guess from memory: a configuration that the program takes is one that any TOML tool takes. Seen: line ends and a last
# comma in an inline table, \e and \xHH in strings, and a time without seconds are read by the one and refused by the
# other.
# Why it matters: whoever checks or writes such a file with another tool (CI in Python, configuration management) has
# files that the one takes and the other does not.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir -p src
cat >Cargo.toml <<'END'
[package]
name = "reads"
edition = "2021"
[dependencies]
toml = { version = "=1.2.1", default-features = false, features = ["std", "parse", "serde"] }
[workspace]
END
cat >src/main.rs <<'END'
fn main() {
    for line in std::io::stdin().lines() {
        let text = line.unwrap().replace("<newline>", "\n");
        println!("{}", if text.parse::<toml::Table>().is_ok() { "read" } else { "refused" });
    }
}
END
cargo build --quiet

cat >stated <<'END'
a = { b = 1, c = 2 }: toml read, tomllib read
a = { b = 1,<newline>c = 2,<newline>}: toml read, tomllib refused
a = "\e[1m": toml read, tomllib refused
a = "\x41": toml read, tomllib refused
a = 10:30: toml read, tomllib refused
a = 1<newline>a = 2: toml refused, tomllib refused
END
cat >inputs <<'END'
a = { b = 1, c = 2 }
a = { b = 1,<newline>c = 2,<newline>}
a = "\e[1m"
a = "\x41"
a = 10:30
a = 1<newline>a = 2
END
target/debug/reads <inputs >by-toml
python3 - >by-tomllib <<'END'
import tomllib
for line in open("inputs"):
    try:
        tomllib.loads(line.rstrip("\n").replace("<newline>", "\n"))
        print("read")
    except tomllib.TOMLDecodeError:
        print("refused")
END
paste -d '\t' inputs by-toml by-tomllib | sed 's/\t\(.*\)\t\(.*\)/: toml \1, tomllib \2/' | tee -a seen
diff -u --label stated --label seen stated seen && echo "as stated"
