//! Where something would be that is not there.

use crate::{Found, Located, ObjectKind, System};
use nix::errno::Errno;

/// What an absolute path would lead to if the folders that are missing on its way were there: a regular file below the
/// last folder that is. A tree that is missing too is where its name says. Also whether it had to be supposed: the way up
/// from a missing folder may lead back to something that is there.
pub(super) fn locate<S: System>(real: &S, path: &[u8], trees: &[&str]) -> Result<(Located, bool), Errno> {
    let located = real.locate(path, trees)?;
    if !matches!(located.found, Found::Nothing(Errno::ENOENT)) {
        return Ok((located, false));
    }
    let names: Vec<&[u8]> = path.split(|byte| *byte == b'/').filter(|name| !matches!(*name, b"" | b".")).collect();
    for there in (0..names.len()).rev() {
        let folder = real.locate(&joined(&names[..there]), trees)?;
        match folder.kind {
            ObjectKind::Missing => continue,
            ObjectKind::Folder => {}
            _ => return Err(Errno::ENOTDIR),
        }
        let rest = &names[there..];
        // A folder that is taken to be there is no link, so that the way up from it leads back.
        return match rest.iter().position(|name| *name == b"..") {
            Some(up) if up > 0 => locate(real, &joined(&[&names[..there + up - 1], &rest[up + 1..]].concat()), trees),
            _ => Ok((below(folder, &joined(&names), rest, trees), true)),
        };
    }
    Ok((located, false))
}

/// A regular file that would be at `rest` below the folder. `asked` is the path that leads there as it was given.
fn below(folder: Located, asked: &[u8], rest: &[&[u8]], trees: &[&str]) -> Located {
    let base = folder.path.strip_suffix(b"/").unwrap_or(&folder.path);
    let path = [base, joined(rest).as_slice()].concat();
    let missing = |tree: &str| {
        let inside = |path: &[u8]| path.strip_prefix(tree.as_bytes()).is_some_and(|it| matches!(it, [] | [b'/', ..]));
        tree.len() > base.len() && (inside(&path) || inside(asked))
    };
    let mut within = folder.within.clone();
    within.extend((0..trees.len()).filter(|index| missing(trees[*index]) && !folder.within.contains(index)));
    // It is held by its folder: whoever opens it gets an empty file.
    Located { path, kind: ObjectKind::File, size: 0, within, ..folder }
}

fn joined(names: &[&[u8]]) -> Vec<u8> {
    [b"/", names.join(b"/".as_slice()).as_slice()].concat()
}
