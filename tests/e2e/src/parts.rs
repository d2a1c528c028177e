//! What the VM is made of, and where it is found on the machine that runs the tests.

use anyhow::{Context, Result, ensure};
use std::env;
use std::path::{Path, PathBuf};

/// The programs and files a VM needs.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) qemu: PathBuf,
    pub(crate) busybox: PathBuf,
    pub(crate) mkfs_ext4: PathBuf,
    pub(crate) mkfs_xfs: PathBuf,
    pub(crate) kernel: PathBuf,
    /// In the order in which they are loaded.
    pub(crate) modules: Vec<PathBuf>,
}

impl Parts {
    /// Finds them, or says what is missing and how to get it.
    pub(crate) fn find() -> Result<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/e2e/kernel");
        ensure!(folder.join("version").exists(), "the VM has no kernel yet: run tests/e2e/fetch-kernel");
        let mut modules = Vec::new();
        for entry in folder.join("modules").read_dir().context("the modules cannot be listed")? {
            modules.push(entry?.path());
        }
        modules.sort();
        Ok(Parts {
            qemu: program("qemu-system-x86_64", "qemu-system-x86")?,
            busybox: program("busybox", "busybox-static")?,
            mkfs_ext4: program("mkfs.ext4", "e2fsprogs")?,
            mkfs_xfs: program("mkfs.xfs", "xfsprogs")?,
            kernel: folder.join("vmlinuz"),
            modules,
        })
    }
}

/// Looks a program up as a shell does, and in the folders that are only on root's PATH.
fn program(name: &str, package: &str) -> Result<PathBuf> {
    let path = env::var("PATH").unwrap_or_default() + ":/usr/sbin:/sbin";
    let found = env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file());
    found.with_context(|| format!("{name} is not installed: install the package {package}"))
}
