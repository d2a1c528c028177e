//! A module for tests.

use crate::manifest::{Argument, Command, Expect, FORMAT, Manifest, SelfTest};
use crate::state::{Code, Version};
use crate::{Store, StoreError, digest};

pub(crate) const NAME: &str = "com.example.backup";

const SCHEMA: &str = "##
# @__com.example_backup-status:
#
# When the last backup was made.
#
# @job: which job
#
# Since: 0.1.0
##
{ 'command': '__com.example_backup-status',
  'data': { '*job': 'str' },
  'features': [ 'allowed-while-frozen' ] }
";

/// What the module says of itself in the version with this counter.
pub(crate) fn manifest(counter: u64) -> Manifest {
    Manifest {
        manifest: FORMAT,
        name: NAME.to_owned(),
        version: format!("{counter}.0"),
        counter,
        agent: "0.1.0".to_owned(),
        description: "tells how old the last backup is".to_owned(),
        commands: vec![Command {
            name: "__com.example_backup-status".to_owned(),
            while_frozen: true,
            success_response: true,
            arguments: vec![Argument { name: "job".to_owned(), shown: true }],
        }],
        schema: SCHEMA.to_owned(),
        self_test: vec![SelfTest {
            execute: "__com.example_backup-status".to_owned(),
            arguments: "{}".to_owned(),
            expect: Expect::Answer,
        }],
    }
}

/// Bytes that stand for its component: the store does not look into them.
pub(crate) fn component(counter: u64) -> Vec<u8> {
    manifest(counter).append(b"\0asm\x0d\0\x01\0")
}

/// Machine code of it, as good as any.
pub(crate) fn code(counter: u64) -> (Code, Vec<u8>) {
    let bytes = format!("code of {counter}").into_bytes();
    (Code { form: "x86-64".to_owned(), engine: "engine 1".to_owned(), digest: digest::of(&bytes) }, bytes)
}

/// The version with this counter.
pub(crate) fn version(counter: u64) -> Version {
    Version {
        digest: digest::of(&component(counter)),
        manifest: manifest(counter),
        imports: vec!["files".to_owned()],
        signer: "vendor.pub (0123456789ABCDEF)".to_owned(),
        codes: vec![code(counter).0],
        installed: 1_700_000_000 + counter,
        proven: false,
    }
}

/// Installs it.
pub(crate) fn install(store: &Store, counter: u64) -> Result<(), StoreError> {
    store.install(&format!("install {NAME} {counter}"), &component(counter), "a signature", &[code(counter)], |state| {
        state.modules.entry(NAME.to_owned()).or_default().add(version(counter));
        Ok(())
    })
}
