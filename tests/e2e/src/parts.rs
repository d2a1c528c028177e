//! What the VMs are made of, and where it is found on the machine that runs the tests.

use crate::initramfs::Archive;
use anyhow::{Context, Result, ensure};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// The programs and files a VM needs.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) qemu: PathBuf,
    busybox: PathBuf,
    pub(crate) mkfs_ext4: PathBuf,
    pub(crate) mkfs_xfs: PathBuf,
    pub(crate) kernel: PathBuf,
    /// In the order in which they are loaded.
    modules: Vec<PathBuf>,
    /// What [`Self::pack_module_tree`] packs.
    tree: PathBuf,
}

impl Parts {
    /// Nothing, with a printed reason, if `BULKHEAD_SKIP_VM` is 1; a panic that names the package if something is not
    /// installed.
    pub(crate) fn find_unless_skipped() -> Option<Self> {
        if skipped("BULKHEAD_SKIP_VM") {
            return None;
        }
        Some(Self::find().unwrap_or_else(|error| panic!("{error:#} (or set BULKHEAD_SKIP_VM=1)")))
    }

    /// Finds them, or says what is missing and how to get it.
    fn find() -> Result<Self> {
        let folder = fetched("kernel");
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
            tree: folder.join("tree"),
        })
    }

    /// Adds busybox under the names of all its programs.
    pub(crate) fn pack_busybox(&self, archive: &mut Archive) -> Result<()> {
        archive.program("bin/busybox", &self.busybox)?;
        let applets = Command::new(&self.busybox).arg("--list-full").output().context("busybox cannot be run")?;
        for applet in String::from_utf8(applets.stdout)?.lines().filter(|path| *path != "bin/busybox") {
            archive.link(applet, "/bin/busybox");
        }
        Ok(())
    }

    /// Adds the modules that `/modules/*.ko`, loaded in the order of their names, bring up a VM with.
    pub(crate) fn pack_modules(&self, archive: &mut Archive) -> Result<()> {
        for module in &self.modules {
            let name = module.file_name().and_then(|name| name.to_str()).context("a module's name is not text")?;
            archive.file(&format!("modules/{name}"), 0o644, &fs::read(module)?);
        }
        Ok(())
    }

    /// Adds the modules that udev and modprobe load by name, below `folder`/usr/lib/modules.
    pub(crate) fn pack_module_tree(&self, archive: &mut Archive, folder: &str) -> Result<()> {
        pack_folder(archive, &self.tree.join("lib"), &format!("{folder}/usr/lib"))
    }
}

/// What a script of tests/e2e has put below the build's folder.
pub(crate) fn fetched(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/e2e").join(name)
}

/// Whether an environment variable that leaves tests out is set; says so, as nobody should take that for success.
pub(crate) fn skipped(variable: &str) -> bool {
    let skipped = env::var(variable).is_ok_and(|value| value == "1");
    if skipped {
        println!("skipped: {variable} is 1");
    }
    skipped
}

fn pack_folder(archive: &mut Archive, source: &Path, path: &str) -> Result<()> {
    for entry in source.read_dir().with_context(|| format!("{} cannot be listed", source.display()))? {
        let entry = entry?;
        let name = entry.file_name().into_string().ok().context("a file's name is not text")?;
        let path = format!("{path}/{name}");
        if entry.file_type()?.is_dir() {
            pack_folder(archive, &entry.path(), &path)?;
        } else {
            archive.file(&path, 0o644, &fs::read(entry.path())?);
        }
    }
    Ok(())
}

/// Looks a program up as a shell does, and in the folders that are only on root's PATH.
pub(crate) fn program(name: &str, package: &str) -> Result<PathBuf> {
    let path = env::var("PATH").unwrap_or_default() + ":/usr/sbin:/sbin";
    let found = env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file());
    found.with_context(|| format!("{name} is not installed: install the package {package}"))
}
