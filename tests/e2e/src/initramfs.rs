//! A writer of initramfs archives: cpio's "newc" format, which the kernel unpacks into its first root file system.
//!
//! The format is described in the kernel's `Documentation/driver-api/early-userspace/buffer-format.rst`.

use anyhow::{Context, Result};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

const DIRECTORY: u32 = 0o040_755;
const FILE: u32 = 0o100_000;
const LINK: u32 = 0o120_777;

/// An archive in the making. Everything in it belongs to root.
#[derive(Debug, Default)]
pub struct Archive {
    bytes: Vec<u8>,
    names: BTreeSet<String>,
}

impl Archive {
    /// Adds a directory, and those above it. `path` is relative to the root, as in all methods here; what is already
    /// there stays as it is.
    pub fn directory(&mut self, path: &str) {
        if let Some((above, _)) = path.rsplit_once('/') {
            self.directory(above);
        }
        self.entry(path, DIRECTORY, &[]);
    }

    /// Adds a file with these permission bits.
    pub fn file(&mut self, path: &str, permissions: u32, content: &[u8]) {
        self.below(path);
        self.entry(path, FILE | permissions, content);
    }

    /// Adds a symbolic link.
    pub fn link(&mut self, path: &str, target: &str) {
        self.below(path);
        self.entry(path, LINK, target.as_bytes());
    }

    /// Adds an executable of this machine under the name `path`, and the shared libraries it is linked with where it
    /// expects them.
    pub fn program(&mut self, path: &str, source: &Path) -> Result<()> {
        self.file(path, 0o755, &read(source)?);
        for library in libraries(source)? {
            self.file(library.trim_start_matches('/'), 0o755, &read(Path::new(&library))?);
        }
        Ok(())
    }

    /// The finished archive.
    pub fn finish(mut self) -> Vec<u8> {
        self.entry("TRAILER!!!", 0, &[]);
        self.bytes
    }

    fn below(&mut self, path: &str) {
        if let Some((above, _)) = path.rsplit_once('/') {
            self.directory(above);
        }
    }

    /// A header of fixed-width hexadecimal fields, the name, the content; name and content are padded to four bytes.
    fn entry(&mut self, path: &str, mode: u32, content: &[u8]) {
        if !self.names.insert(path.to_owned()) {
            return;
        }
        let inode = self.names.len();
        let size = content.len();
        let name_size = path.len() + 1;
        // Magic, then: inode mode uid gid links mtime size device(2) special-device(2) name-size checksum.
        let header = format!(
            "070701{inode:08x}{mode:08x}{0:08x}{0:08x}{1:08x}{0:08x}{size:08x}{0:032x}{name_size:08x}{0:08x}",
            0, 1
        );
        self.bytes.extend_from_slice(header.as_bytes());
        self.bytes.extend_from_slice(path.as_bytes());
        self.bytes.push(0);
        self.pad();
        self.bytes.extend_from_slice(content);
        self.pad();
    }

    fn pad(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

/// The absolute paths of the loader and the libraries a program is linked with; none for a static one.
fn libraries(program: &Path) -> Result<Vec<String>> {
    let output = Command::new("ldd").arg(program).output().context("ldd cannot be run: install libc-bin")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    anyhow::ensure!(!text.contains("not found"), "a library of {} is missing: {text}", program.display());
    Ok(text.split_whitespace().filter(|word| word.starts_with('/')).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_aligned_and_say_their_sizes() {
        let mut archive = Archive::default();
        archive.file("etc/motd", 0o644, b"hello");
        let bytes = archive.finish();
        let text = String::from_utf8(bytes).unwrap();
        let entries: Vec<usize> = text.match_indices("070701").map(|(at, _)| at).collect();
        assert_eq!(entries.len(), 3, "a directory, a file and the trailer");
        assert!(entries.iter().all(|at| at % 4 == 0));
        let file = &text[entries[1]..];
        assert_eq!(&file[14..22], "000081a4", "a regular file, rw-r--r--");
        assert_eq!(&file[54..62], "00000005", "five bytes");
        assert_eq!(&file[94..102], "00000009", "the name and its NUL");
        assert_eq!(
            &file[110..],
            format!("etc/motd\0\0hello\0\0\0{}", &text[entries[2]..]),
            "both padded to four bytes"
        );
    }

    #[test]
    fn a_path_is_added_once() {
        let mut archive = Archive::default();
        archive.file("lib/a", 0o755, b"first");
        archive.file("lib/a", 0o755, b"second");
        assert!(!archive.finish().windows(6).any(|window| window == b"second"));
    }

    #[test]
    fn the_kernel_s_own_tool_reads_it() {
        let mut archive = Archive::default();
        archive.link("sbin/init", "../bin/busybox");
        let folder = bulkhead_test_support::Scratch::new("cpio");
        std::fs::write(folder.join("archive"), archive.finish()).unwrap();
        let Ok(list) = Command::new("cpio").args(["-itv", "--quiet", "-F"]).arg(folder.join("archive")).output() else {
            println!("skipped: cpio is not installed");
            return;
        };
        let list = String::from_utf8(list.stdout).unwrap();
        assert!(list.contains("lrwxrwxrwx") && list.contains("sbin/init -> ../bin/busybox"), "{list}");
    }
}
