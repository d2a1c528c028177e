//! Open files by the numbers that clients see.

use bulkhead_gate::Opened;
use std::collections::HashMap;
use thiserror::Error;

/// How many files one module may have open. It bounds what a client that never closes can make the agent hold, below
/// the usual limit of 1024 descriptors per process, so that the agent keeps some for its channel, its log and the
/// programs it runs. An honest client has a handful open. The owner can say less, not more.
pub const MAX_OPEN_FILES: usize = 960;

/// The table of open files. A number means something only to the module that opened the file.
#[derive(Debug, Default)]
pub struct Handles {
    files: HashMap<i64, Entry>,
}

#[derive(Debug)]
struct Entry {
    module: &'static str,
    opened: Opened,
}

/// No open file of this module has the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("unknown handle")]
pub struct UnknownHandle;

impl Handles {
    /// Whether `module` may open one more; `limit` is the owner's.
    pub fn has_room(&self, module: &str, limit: Option<usize>) -> bool {
        let most = limit.map_or(MAX_OPEN_FILES, |limit| limit.min(MAX_OPEN_FILES));
        self.files.values().filter(|entry| entry.module == module).count() < most
    }

    /// Keeps what was opened for `module` under a number that was never given before.
    pub fn insert(&mut self, module: &'static str, handle: i64, opened: Opened) {
        self.files.insert(handle, Entry { module, opened });
    }

    /// The file that `module` knows as `handle`.
    pub fn get(&self, module: &str, handle: i64) -> Result<&Opened, UnknownHandle> {
        match self.files.get(&handle) {
            Some(entry) if entry.module == module => Ok(&entry.opened),
            _ => Err(UnknownHandle),
        }
    }

    /// Closes all files of `module`, which is gone: nobody has a number for them any more. How many there were.
    pub fn close_all(&mut self, module: &str) -> usize {
        let before = self.files.len();
        self.files.retain(|_, entry| entry.module != module);
        before - self.files.len()
    }

    /// Forgets the number and gives back the file.
    pub fn remove(&mut self, module: &str, handle: i64) -> Result<Opened, UnknownHandle> {
        self.get(module, handle)?;
        self.files.remove(&handle).map(|entry| entry.opened).ok_or(UnknownHandle)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bulkhead_gate::Caps;

    fn null() -> Opened {
        Opened { file: std::fs::File::open("/dev/null").unwrap().into(), caps: Caps::default() }
    }

    #[test]
    fn a_handle_is_nothing_to_another_module() {
        let mut handles = Handles::default();
        handles.insert("file", 1000, null());
        assert!(handles.get("file", 1000).is_ok());
        assert_eq!(handles.get("exec", 1000).err(), Some(UnknownHandle));
        assert_eq!(handles.remove("exec", 1000).err(), Some(UnknownHandle));
        assert!(handles.remove("file", 1000).is_ok());
        assert_eq!(handles.get("file", 1000).err(), Some(UnknownHandle));
    }

    #[test]
    fn the_files_of_a_module_that_is_gone_are_closed() {
        let mut handles = Handles::default();
        [("com.example.x", 1000), ("file", 1001), ("com.example.x", 1002)]
            .into_iter()
            .for_each(|(module, handle)| handles.insert(module, handle, null()));
        assert_eq!(handles.close_all("com.example.x"), 2);
        assert!(handles.get("com.example.x", 1000).is_err() && handles.get("file", 1001).is_ok());
    }

    #[test]
    fn room_is_counted_per_module() {
        let mut handles = Handles::default();
        for handle in 0..MAX_OPEN_FILES {
            assert!(handles.has_room("file", None) && handles.has_room("file", Some(MAX_OPEN_FILES * 2)));
            handles.insert("file", handle as i64, null());
        }
        assert!(!handles.has_room("file", None) && !handles.has_room("file", Some(MAX_OPEN_FILES * 2)));
        assert!(handles.has_room("exec", None) && handles.has_room("exec", Some(1)));
        assert!(!handles.has_room("exec", Some(0)), "the owner wants none");
    }
}
