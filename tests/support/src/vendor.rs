//! A vendor of modules: its keys, and modules that it packs and signs with the real tools.

use crate::{Scratch, tools};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A vendor. What it made is gone with the value.
#[derive(Debug)]
pub struct Vendor {
    scratch: Scratch,
}

impl Vendor {
    /// One whose key may sign `modules`, which are names as in a line `modules:` of the key's file. Needs the package minisign.
    pub fn new(modules: &str) -> Self {
        let scratch = Scratch::new("vendor");
        std::fs::create_dir(scratch.join("keys.d")).expect("a fresh folder can be made");
        let vendor = Vendor { scratch };
        let public = vendor.public_key();
        run(Command::new("minisign").args(["-G", "-W", "-p"]).arg(&public).arg("-s").arg(vendor.secret()));
        let key = std::fs::read_to_string(&public).expect("minisign has made a key");
        std::fs::write(&public, format!("{key}modules: {modules}\n")).expect("a file of ours can be written");
        vendor
    }

    /// The folder `keys.d` of an owner who trusts it.
    pub fn keys(&self) -> PathBuf {
        self.scratch.join("keys.d")
    }

    /// The file of its key, as an owner who trusts it has it in a folder `keys.d`.
    pub fn public_key(&self) -> PathBuf {
        self.keys().join("vendor.pub")
    }

    /// Makes a module of a component: `manifest` is the text of a `module.toml`, `schema` of a `schema.json`. It is signed, and
    /// the signature lies beside it.
    pub fn module(&self, component: &Path, manifest: &str, schema: &str) -> PathBuf {
        assert!(component.is_file(), "{} is not there: run `make samples` first", component.display());
        let mut number = 1;
        while self.scratch.join(&format!("{number}.wasm")).exists() {
            number += 1;
        }
        let [said, described] = ["module.toml", "schema.json"].map(|name| self.scratch.join(name));
        std::fs::write(&said, manifest).expect("a file of ours can be written");
        std::fs::write(&described, schema).expect("a file of ours can be written");
        let module = self.scratch.join(&format!("{number}.wasm"));
        let mut pack = Command::new(tools());
        run(pack.args(["module", "pack", "--manifest"]).arg(said).arg(component).arg("-o").arg(&module));
        self.sign(&module);
        module
    }

    /// Signs a file.
    pub fn sign(&self, file: &Path) {
        run(Command::new("minisign").args(["-S", "-s"]).arg(self.secret()).arg("-m").arg(file));
    }

    fn secret(&self) -> PathBuf {
        self.scratch.join("vendor.key")
    }
}

fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}: is it installed?"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
