//! The owner of a VM: a policy, the owner's tool, and a vendor whose modules the owner installs.

use crate::process::Workspace;
use anyhow::{Context, Result, ensure};
use bulkhead_test_support::{Vendor, tools};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where `make samples` leaves its components.
pub(crate) const SAMPLES: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/wasm32-unknown-unknown/module/examples");

pub(crate) struct Owner {
    vendor: Vendor,
    policy: PathBuf,
}

/// Whether there is the program that signs modules.
pub(crate) fn can_sign() -> bool {
    Command::new("minisign").arg("-v").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}

impl Owner {
    /// `name` is of the folder for the owner's things.
    pub(crate) fn new(workspace: &Workspace, name: &str, policy: &str) -> Result<Self> {
        let folder = workspace.join(name);
        std::fs::create_dir(&folder)?;
        std::fs::write(folder.join("policy.toml"), policy)?;
        Ok(Owner { vendor: Vendor::new("com.example.*"), policy: folder.join("policy.toml") })
    }

    /// Makes the module `com.example.NAME` of a component that answers the command `__com.example_NAME`.
    pub(crate) fn module(&self, component: &Path, name: &str, version: usize) -> PathBuf {
        let manifest = format!(
            "name = \"com.example.{name}\"\nversion = \"{version}.0\"\ncounter = {version}\nagent = \"0.1.0\"\n\
             description = \"A sample.\"\n"
        );
        let schema = format!(
            "##\n# @__com.example_{name}:\n#\n# Answers with a number.\n#\n# @how: unused\n#\n# Returns: the number\n#\n\
             # Since: 1.0\n##\n{{ 'command': '__com.example_{name}',\n  'data': {{ '*how': 'str' }},\n  'returns': 'int' }}\n"
        );
        self.vendor.module(component, &manifest, &schema)
    }

    /// Runs `bulkhead module`, which must succeed.
    pub(crate) fn tool(&self, store: &Path, words: &[&OsStr]) -> Result<()> {
        let mut tool = Command::new(tools());
        tool.arg("module").args(words).arg("--store").arg(store).arg("--keys").arg(self.vendor.keys());
        tool.arg("--policy").arg(&self.policy).stdin(Stdio::null());
        let output = tool.output().context("the owner's tool cannot be started")?;
        ensure!(output.status.success(), "{tool:?}: {}", String::from_utf8_lossy(&output.stderr).trim_end());
        Ok(())
    }

    /// The options of an agent with this store.
    pub(crate) fn options<'a>(&'a self, store: &'a Path) -> [&'a OsStr; 4] {
        ["--policy".as_ref(), self.policy.as_os_str(), "--module-store".as_ref(), store.as_os_str()]
    }
}
