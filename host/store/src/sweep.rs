//! Removing what the state does not name.

use crate::state::{State, Version};
use crate::{StoreError, disk};
use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

/// Removes the files of the store that no version of the state needs, drafts included. The caller holds the lock.
/// Folders are not the store's and stay. Returns how many files and bytes are gone.
pub(crate) fn sweep(root: &Path, state: &State) -> Result<(usize, u64), StoreError> {
    let versions = || state.modules.values().flat_map(|entry| &entry.versions);
    let objects = |version: &Version| ["wasm", "minisig"].map(|extension| format!("{}.{extension}", version.digest));
    let codes =
        |version: &Version| version.codes.iter().map(|code| format!("{}.cwasm", code.digest)).collect::<Vec<_>>();
    let needed = [
        ("staging", BTreeSet::new()),
        ("objects", versions().flat_map(objects).collect()),
        ("code", versions().flat_map(codes).collect()),
    ];
    let (mut files, mut bytes) = (0, 0);
    for (folder, needed) in needed {
        let (more, size) = sweep_folder(&root.join(folder), &needed)?;
        files += more;
        bytes += size;
    }
    Ok((files, bytes))
}

fn sweep_folder(folder: &Path, needed: &BTreeSet<String>) -> Result<(usize, u64), StoreError> {
    if !bulkhead_trust::is_own_folder(folder)? {
        return Ok((0, 0));
    }
    let unreadable = |source| StoreError::Io { what: "list", path: folder.to_owned(), source };
    let (mut files, mut bytes) = (0, 0);
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let is_needed = entry.file_name().to_str().is_some_and(|name| needed.contains(name));
        let metadata = match entry.metadata() {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(unreadable(error)),
        };
        if !is_needed && !metadata.is_dir() {
            disk::remove(&entry.path())?;
            files += 1;
            bytes += metadata.len();
        }
    }
    if files > 0 {
        disk::sync_folder(folder)?;
    }
    Ok((files, bytes))
}
