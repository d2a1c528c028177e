//! Going along a path by hand, folder by folder and link by link.

use crate::{OTHERS_WRITE, STICKY, TrustError, check, unreadable};
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{self, Component, Path, PathBuf};

/// How many links a path may have on its way. It bounds a circle of links; packages and configuration management make
/// chains of two or three, and systems with a merged `/usr` add one.
const LINKS: usize = 8;

/// Where `path` really is, if nobody else could have it lead elsewhere: each folder on the way, those of links
/// included, is safe. What stands at the end is not judged, unless it is a folder. In a sticky folder that is for
/// everybody nobody can replace what is another's, so it may be on the way; whether it may be the place itself is the
/// caller's to say.
pub(crate) fn real(path: &Path) -> Result<PathBuf, TrustError> {
    let path = path::absolute(path).map_err(|source| unreadable(path, source))?;
    let mut left = steps(&path);
    let mut at = PathBuf::from("/");
    let mut links = 0;
    let mut is_shared = check_on_the_way(&at)?;
    while let Some(name) = left.pop() {
        if name == ".." {
            at.pop();
            is_shared = check_on_the_way(&at)?;
            continue;
        }
        let next = at.join(&name);
        let metadata = fs::symlink_metadata(&next).map_err(|source| unreadable(&next, source))?;
        if metadata.is_symlink() {
            // Its owner could take a link out of a sticky folder and make another. Elsewhere only the folder matters.
            if is_shared {
                check(&next, &metadata, 0)?;
            }
            links += 1;
            if links > LINKS {
                return Err(unreadable(&path, io::Error::other("too many links")));
            }
            let target = fs::read_link(&next).map_err(|source| unreadable(&next, source))?;
            if target.is_absolute() {
                at = PathBuf::from("/");
                is_shared = check_on_the_way(&at)?;
            }
            left.extend(steps(&target));
            continue;
        }
        at = next;
        if metadata.is_dir() {
            is_shared = check_on_the_way(&at)?;
        }
    }
    Ok(at)
}

/// Whether a folder may be on the way; if so, whether others can put something into it.
fn check_on_the_way(folder: &Path) -> Result<bool, TrustError> {
    let metadata = fs::metadata(folder).map_err(|source| unreadable(folder, source))?;
    let is_sticky = metadata.mode() & STICKY != 0;
    check(folder, &metadata, if is_sticky { 0 } else { OTHERS_WRITE })?;
    Ok(is_sticky && metadata.mode() & OTHERS_WRITE != 0)
}

/// The names along a path, the last one first.
fn steps(path: &Path) -> Vec<OsString> {
    let names = path.components().filter_map(|component| match component {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
    });
    let mut names: Vec<OsString> = names.collect();
    names.reverse();
    names
}
