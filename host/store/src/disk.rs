//! The few steps of which every change on the disk is made, each of them whole or not at all, but for a power cut
//! before the next `sync`.

use crate::StoreError;
use std::fs::{self, DirBuilder, File, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// What the store's folders can be: read by everybody, for nothing in them is secret, and changed by their owner.
const FOLDER_MODE: u32 = 0o755;

/// The same for its files. Both are set whatever the umask is.
const FILE_MODE: u32 = 0o644;

/// The lock is for its owner alone: who can open a file can lock it, and could keep everybody from changing the store.
const LOCK_MODE: u32 = 0o600;

/// Makes a folder and those above it that are missing. Nobody else can put another in its place.
pub(crate) fn make_folder(path: &Path) -> Result<(), StoreError> {
    if bulkhead_trust::is_own_folder(path)? {
        return Ok(());
    }
    let above =
        path.parent().ok_or_else(|| StoreError::Refused("the root folder is not a place for a store".into()))?;
    match fs::symlink_metadata(above) {
        Err(error) if error.kind() == ErrorKind::NotFound => make_folder(above)?,
        // Above the store a link may be on the way, if nobody else can change it.
        _ => bulkhead_trust::check_folder(above)?,
    }
    // With its mode from the beginning, lest others come in; then again, for the umask may have taken some of it away.
    step("make", path, || DirBuilder::new().mode(FOLDER_MODE).create(path))?;
    step("set the mode of", path, || fs::set_permissions(path, Permissions::from_mode(FOLDER_MODE)))?;
    sync_folder(above)
}

/// Puts a file into its place, whole: first beside it, as `draft`, on the same disk.
pub(crate) fn put(draft: &Path, place: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    match fs::symlink_metadata(draft) {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        _ => remove(draft)?,
    }
    let written = write_new(draft, bytes).and_then(|()| step("replace", place, || fs::rename(draft, place)));
    if written.is_err() {
        // What is left of a draft on a full disk takes room; if this fails too, the next one for this place removes it.
        let _ = remove(draft);
    }
    written?;
    sync_folder(place.parent().unwrap_or(place))
}

fn write_new(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let create = || File::options().write(true).create_new(true).mode(FILE_MODE).open(path);
    let mut file = step("create", path, create)?;
    step("set the mode of", path, || file.set_permissions(Permissions::from_mode(FILE_MODE)))?;
    // In two halves, so that a test can stop between them.
    let (one, other) = bytes.split_at(bytes.len() / 2);
    step("write", path, || file.write_all(one))?;
    step("write", path, || file.write_all(other))?;
    step("sync", path, || file.sync_all())
}

/// Adds to the end of a file, which need not be there yet.
pub(crate) fn append(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let open = || File::options().append(true).create(true).mode(FILE_MODE).custom_flags(no_link()).open(path);
    let mut file = step("open", path, open)?;
    step("set the mode of", path, || file.set_permissions(Permissions::from_mode(FILE_MODE)))?;
    step("write", path, || file.write_all(bytes))?;
    step("sync", path, || file.sync_all())
}

/// Gives a file another name in the same folder. What had that name is gone.
pub(crate) fn rename(path: &Path, other: &Path) -> Result<(), StoreError> {
    step("rename", path, || fs::rename(path, other))
}

/// Removes a file or a link.
pub(crate) fn remove(path: &Path) -> Result<(), StoreError> {
    step("remove", path, || fs::remove_file(path))
}

/// Makes what was renamed or removed in a folder last.
pub(crate) fn sync_folder(path: &Path) -> Result<(), StoreError> {
    step("sync", path, || File::open(path)?.sync_all())
}

/// Opens a file for a lock: its contents are nothing to rely on.
pub(crate) fn open_lock(path: &Path) -> Result<File, StoreError> {
    let mut options = File::options();
    options.read(true).write(true).create(true).truncate(false).mode(LOCK_MODE).custom_flags(no_link());
    let file = step("open", path, || options.open(path))?;
    step("set the mode of", path, || file.set_permissions(Permissions::from_mode(LOCK_MODE)))?;
    Ok(file)
}

fn no_link() -> i32 {
    (nix::fcntl::OFlag::O_NOFOLLOW | nix::fcntl::OFlag::O_NONBLOCK).bits()
}

fn step<T>(what: &'static str, path: &Path, act: impl FnOnce() -> io::Result<T>) -> Result<T, StoreError> {
    #[cfg(test)]
    crate::crash::before(what, path)?;
    act().map_err(|source| StoreError::Io { what, path: path.to_owned(), source })
}
