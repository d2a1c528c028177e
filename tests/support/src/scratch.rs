//! A folder of one test, gone when the test is over.

use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

/// A fresh, empty folder below the system's temporary folder; removed with all its content on drop.
#[derive(Debug)]
pub struct Scratch(PathBuf);

impl Scratch {
    /// Makes it. `name` only helps a person who finds one left behind.
    pub fn new(name: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let unique = format!("bulkhead-{name}-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(unique);
        std::fs::create_dir(&path).expect("a fresh folder can be made below the temporary folder");
        Scratch(path)
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Makes a folder in it.
    pub fn folder(&self, name: &str) -> PathBuf {
        let path = self.join(name);
        std::fs::create_dir(&path).expect("a folder can be made in it");
        path
    }

    /// Writes a file in it.
    pub fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.join(name);
        std::fs::write(&path, text).expect("a file can be written in it");
        path
    }

    /// The path of something in it.
    pub fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
        // What an agent that was killed has left in memory for the next one in this folder (`host/src/under_way.rs`).
        let digest = Sha256::digest(self.0.as_os_str().as_encoded_bytes());
        let name: String = digest[..8].iter().map(|byte| format!("{byte:02x}")).collect();
        for folder in ["/run", "/dev/shm"] {
            let _ = std::fs::remove_file(format!("{folder}/bulkhead.calls.{name}"));
        }
    }
}

/// Makes a shell script at `path`. A shell writes it: were this process to do so, a child that another thread starts at
/// that moment would have the file open for writing too, and a file open for writing cannot be executed.
pub fn script(path: &Path, body: &str) {
    let mut shell = Command::new("sh");
    shell.args(["-c", r#"printf '#!/bin/sh\n%s\n' "$2" >"$1" && chmod 755 "$1""#, "-"]);
    assert!(shell.arg(path).arg(body).status().expect("there is a shell").success());
}
