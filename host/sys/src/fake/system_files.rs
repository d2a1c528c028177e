//! System files that a test writes.

use super::Fake;
use nix::errno::Errno;
use std::collections::BTreeMap;

/// What the pretended system knows of it: texts and links by their whole path.
#[derive(Debug, Default)]
pub(super) struct Files {
    texts: BTreeMap<Vec<u8>, Vec<u8>>,
    links: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl Fake {
    /// Writes a system file; the folders it is in come to be.
    pub fn write_system_file(&self, path: &str, text: impl Into<Vec<u8>>) {
        self.0.borrow_mut().system_files.texts.insert(path.into(), text.into());
    }

    /// Makes a link to an absolute path. Only resolving follows it.
    pub fn link_system_file(&self, path: &str, target: &str) {
        self.0.borrow_mut().system_files.links.insert(path.into(), target.into());
    }
}

impl crate::SystemFiles for Fake {
    fn read_system_file(&self, tree: &[u8], path: &[u8], limit: usize) -> Result<Vec<u8>, Errno> {
        let state = &self.0.borrow();
        let text = state.system_files.texts.get(&joined(tree, path)).ok_or(Errno::ENOENT)?;
        if text.len() > limit { Err(Errno::EOVERFLOW) } else { Ok(text.clone()) }
    }

    fn system_entries(&self, tree: &[u8], path: &[u8], limit: usize) -> Result<Vec<Vec<u8>>, Errno> {
        let state = &self.0.borrow();
        let folder = [&joined(tree, path), b"/".as_slice()].concat();
        let all = state.system_files.texts.keys().chain(state.system_files.links.keys());
        let below = all.filter_map(|path| path.strip_prefix(folder.as_slice()));
        let mut names: Vec<_> = below.filter_map(|rest| rest.split(|byte| *byte == b'/').next()).collect();
        names.sort_unstable();
        names.dedup();
        match names.len() {
            0 => Err(Errno::ENOENT),
            count if count > limit => Err(Errno::EOVERFLOW),
            _ => Ok(names.into_iter().map(<[u8]>::to_vec).collect()),
        }
    }

    fn resolve_link(&self, tree: &[u8], path: &[u8]) -> Result<Vec<u8>, Errno> {
        let state = &self.0.borrow();
        let path = joined(tree, path);
        match state.system_files.links.get(&path) {
            Some(target) => Ok(target.clone()),
            None if state.system_files.texts.contains_key(&path) => Err(Errno::EINVAL),
            None => Err(Errno::ENOENT),
        }
    }
}

fn joined(tree: &[u8], path: &[u8]) -> Vec<u8> {
    let tree = tree.strip_suffix(b"/").unwrap_or(tree);
    [tree, b"/", path].concat()
}
