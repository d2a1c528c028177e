//! A machine that a test makes: /sys and /run as folders of its own, with real links.

use crate::sysfs::Source;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// Its root. The folder goes with the value.
pub(crate) struct Machine(PathBuf);

impl Machine {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("bulkhead-machine-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let root = std::env::temp_dir().join(name);
        fs::create_dir_all(root.join("sys/block")).unwrap();
        Machine(root.canonicalize().unwrap())
    }

    pub(crate) fn file(&self, path: &str, text: impl AsRef<[u8]>) {
        fs::write(self.place(path), text).unwrap();
    }

    pub(crate) fn link(&self, path: &str, target: &str) {
        let place = self.place(path);
        let _ = fs::remove_file(&place);
        symlink(target, place).unwrap();
    }

    /// A disk of 1 MiB without partitions. Its name is the folder's, its number `MAJOR:MINOR`.
    pub(crate) fn disk(&self, folder: &str, number: &str) {
        self.device(folder, number, "disk");
        self.file(&format!("{folder}/size"), "2048\n");
        let name = folder.rsplit('/').next().unwrap();
        self.link(&format!("/sys/block/{name}"), &format!("../../{folder}"));
    }

    pub(crate) fn partition(&self, disk: &str, name: &str, number: &str) {
        self.device(&format!("{disk}/{name}"), number, "partition");
    }

    pub(crate) fn driver(&self, folder: &str, name: &str) {
        self.file(&format!("/sys/bus/drivers/{name}/bind"), "");
        self.link(&format!("{folder}/driver"), self.root(&format!("/sys/bus/drivers/{name}")).to_str().unwrap());
    }

    /// Makes the device in the folder `below` a part of the one in `folder`.
    pub(crate) fn slave(&self, folder: &str, below: &str) {
        let name = below.rsplit('/').next().unwrap();
        self.link(&format!("{folder}/slaves/{name}"), self.root(below).to_str().unwrap());
    }

    fn device(&self, folder: &str, number: &str, kind: &str) {
        let (major, minor) = number.split_once(':').unwrap();
        let node = folder.rsplit('/').next().unwrap().replace('!', "/");
        let uevent = format!("MAJOR={major}\nMINOR={minor}\nDEVNAME={node}\nDEVTYPE={kind}\n");
        self.file(&format!("{folder}/uevent"), uevent);
        self.link(&format!("/sys/dev/block/{number}"), &format!("../../../{folder}"));
    }

    /// Where a path of the machine is, with the folders on the way to it.
    fn place(&self, path: &str) -> PathBuf {
        let place = self.root(path);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        place
    }

    fn root(&self, path: &str) -> PathBuf {
        self.0.join(path.trim_start_matches('/'))
    }

    fn bytes(&self, path: &[u8]) -> PathBuf {
        self.0.join(OsStr::from_bytes(path.strip_prefix(b"/").unwrap()))
    }
}

impl Source for Machine {
    fn read(&self, path: &[u8]) -> Option<Vec<u8>> {
        fs::read(self.bytes(path)).ok()
    }

    /// In the order of the names.
    fn entries(&self, path: &[u8]) -> Vec<Vec<u8>> {
        let entries = fs::read_dir(self.bytes(path)).into_iter().flatten();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_vec()).collect();
        names.sort();
        names
    }

    fn resolve(&self, path: &[u8]) -> Option<Vec<u8>> {
        let target = self.bytes(path).canonicalize().ok()?;
        let below = target.strip_prefix(&self.0).ok()?;
        Some(Path::new("/").join(below).into_os_string().into_vec())
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
