//! A module's file and its signature, as the owner names them.

use anyhow::{Context, bail};
use bulkhead_store::digest;
use bulkhead_store::store::{COMPONENT, SIGNATURE};
use std::path::{Path, PathBuf};

/// A module's file, of which nothing was looked at.
pub(super) struct Source {
    /// Its bytes.
    pub(super) component: Vec<u8>,
    /// The text of the signature beside it; none if there is none.
    pub(super) signature: Option<String>,
    /// The SHA-256 of the bytes.
    pub(super) digest: String,
}

impl Source {
    /// Reads both. Nobody but root, or the user that runs this program, may be able to change them, and nothing on the way to
    /// them: who could would have time between the check and the use.
    pub(super) fn read(path: &Path) -> anyhow::Result<Self> {
        let Some(component) = bulkhead_trust::read_bytes(path, COMPONENT)? else {
            bail!("there is no file {}", path.display());
        };
        let signature = match bulkhead_trust::read_bytes(&beside(path), SIGNATURE)? {
            Some(bytes) => Some(
                String::from_utf8(bytes)
                    .ok()
                    .context("the signature is not text: take the file that minisign has written")?,
            ),
            None => None,
        };
        Ok(Source { digest: digest::of(&component), component, signature })
    }
}

/// Where the signature of a file lies.
pub(super) fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".minisig");
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_has_the_whole_name_and_more() {
        assert_eq!(beside(Path::new("/a/b.wasm")), Path::new("/a/b.wasm.minisig"));
    }
}
