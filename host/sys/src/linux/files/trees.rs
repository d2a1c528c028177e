//! The folders and files that a policy names, as the things they are at this moment.

use super::local::Look;
use super::object::{BELOW, Facts, Object, STRAIGHT};
use nix::errno::Errno;
use nix::fcntl::readlinkat;
use std::os::unix::ffi::OsStrExt;

/// How many symbolic links may be on the way to a tree: as many as the kernel itself follows. It bounds two that point
/// at each other.
const LINKS: usize = 40;

/// A tree, looked at.
#[derive(Debug)]
pub(super) struct Tree<'a> {
    name: &'a [u8],
    state: State,
}

#[derive(Debug)]
enum State {
    /// It is there; its path without links.
    Here(Object, Vec<u8>),
    /// A file that is not there yet: the folder it would be in, and its name.
    Absent(Object, Vec<u8>),
    /// Nothing can lie in it.
    Nowhere,
    /// It could not be looked at: anything might lie in it.
    Unknown,
}

/// Whether something lies in a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lies {
    Within,
    Perhaps,
    Outside,
}

impl<'a> Tree<'a> {
    /// Looks at the tree of this name, an absolute path. It may have links on the way, if nobody but root can have made
    /// them: else whoever can would choose what the owner has permitted.
    pub(super) fn find(look: &Look, name: &'a [u8]) -> Self {
        let root = Object::find(look, nix::fcntl::AT_FDCWD, b"/", STRAIGHT);
        Tree { name, state: root.and_then(|root| State::find(look, root, name)).unwrap_or(State::Unknown) }
    }

    /// Whether `object`, whose path is `path`, lies in it. Paths propose, the kernel confirms: from the tree and without
    /// links it must come to the same thing.
    pub(super) fn holds(&self, look: &Look, object: &Facts, path: &[u8]) -> Lies {
        let (tree, tree_path) = match &self.state {
            State::Here(tree, tree_path) => (tree, tree_path),
            State::Absent(..) | State::Nowhere => return Lies::Outside,
            State::Unknown => return Lies::Perhaps,
        };
        match below(path, tree_path) {
            Some(rest) if leads_to(look, tree, rest, object) => Lies::Within,
            Some(_) => Lies::Perhaps,
            None => {
                let another_name = object.has_other_names || !object.is_mounted_with(tree);
                if another_name && object.is_beside(tree) { Lies::Perhaps } else { Lies::Outside }
            }
        }
    }

    /// Whether what is made as `name` in `folder` is the tree itself.
    pub(super) fn begins_as(&self, folder: &Facts, name: &[u8]) -> bool {
        matches!(&self.state, State::Absent(parent, own) if own == name && parent.is(folder))
    }

    /// Whether the way that a client named, which led to `object`, has no link behind the tree's own name.
    pub(super) fn leads_straight(&self, look: &Look, way: &[u8], object: &Facts) -> bool {
        let (begin, name) = match &self.state {
            State::Here(tree, _) => (tree, self.name),
            // Of a link to what is not there yet, the way without links is not known: it is not by this name.
            State::Absent(parent, own) => (parent, self.name.strip_suffix(own.as_slice()).unwrap_or(self.name)),
            State::Nowhere | State::Unknown => return false,
        };
        let mut steps = steps(way);
        way.starts_with(b"/")
            && self::steps(name).all(|step| steps.next() == Some(step))
            && leads_to(look, begin, &steps.collect::<Vec<_>>().join(&b'/'), object)
    }
}

impl State {
    fn find(look: &Look, root: Object, name: &[u8]) -> Result<Self, Errno> {
        match Object::find(look, &root.descriptor, name, STRAIGHT) {
            Ok(tree) => Ok(State::Here(tree, name.to_vec())),
            Err(Errno::ENOENT | Errno::ELOOP) => Self::walk(look, root, name),
            Err(Errno::ENOTDIR) => Ok(State::Nowhere),
            Err(errno) => Err(errno),
        }
    }

    /// Step by step. The first missing step ends the way.
    fn walk(look: &Look, root: Object, name: &[u8]) -> Result<Self, Errno> {
        let again = || Object::find(look, &root.descriptor, b".", STRAIGHT);
        let (mut place, mut is_ours, mut links) = (again()?, root.is_ours, 0);
        let mut ahead = Vec::new();
        push(&mut ahead, name);
        while let Some(step) = ahead.pop() {
            let next = match Object::step(look, &place.descriptor, &step) {
                Err(Errno::ENOENT) if ahead.is_empty() => return Ok(State::Absent(place, step)),
                Err(Errno::ENOENT | Errno::ENOTDIR) => return Ok(State::Nowhere),
                next => next?,
            };
            if !next.is_link {
                // From the root to here: who can rename a folder on the way chooses what is in it.
                is_ours = is_ours && next.is_ours;
                place = next;
                continue;
            }
            links += 1;
            if !is_ours || !next.is_ours || links > LINKS {
                return Ok(State::Unknown);
            }
            let target = readlinkat(&next.descriptor, "")?;
            if target.as_bytes().starts_with(b"/") {
                (place, is_ours) = (again()?, root.is_ours);
            }
            push(&mut ahead, target.as_bytes());
        }
        let path = place.path()?;
        Ok(State::Here(place, path))
    }
}

/// Puts the steps of `path` before those that are ahead; the next one is the last of the list.
fn push(ahead: &mut Vec<Vec<u8>>, path: &[u8]) {
    ahead.extend(steps(path).collect::<Vec<_>>().into_iter().rev().map(<[u8]>::to_vec));
}

/// The names in a path.
fn steps(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.split(|byte| *byte == b'/').filter(|step| !step.is_empty() && *step != b".")
}

/// Whether `way` leads from `begin` to `object` without a link, and without leaving `begin`.
fn leads_to(look: &Look, begin: &Object, way: &[u8], object: &Facts) -> bool {
    if way.is_empty() {
        return begin.is(object);
    }
    Object::find(look, &begin.descriptor, way, BELOW).is_ok_and(|end| end.is(object))
}

/// What `path` has behind `tree`, if it is below it or it.
fn below<'a>(path: &'a [u8], tree: &[u8]) -> Option<&'a [u8]> {
    let rest = path.strip_prefix(tree)?;
    match rest {
        [] => Some(rest),
        [b'/', rest @ ..] => Some(rest),
        _ if tree == b"/" => Some(rest),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::Scratch;
    use super::*;
    use crate::ObjectKind;
    use std::os::unix::fs::{PermissionsExt, lchown, symlink};

    /// In a root that is the scratch folder.
    fn find(scratch: &Scratch, name: &str) -> State {
        let look = Look::patiently();
        let root = Object::find(&look, nix::fcntl::AT_FDCWD, scratch.bytes(), STRAIGHT).unwrap();
        State::walk(&look, root, name.as_bytes()).unwrap()
    }

    #[test]
    fn names_lie_below_names_and_texts_do_not_count() {
        assert_eq!(below(b"/a/b", b"/a"), Some(b"b".as_slice()));
        assert_eq!(below(b"/a", b"/a"), Some(b"".as_slice()));
        assert_eq!(below(b"/a/b", b"/"), Some(b"a/b".as_slice()));
        assert_eq!(below(b"/ab", b"/a"), None);
        assert_eq!(below(b"/", b"/a"), None);
    }

    #[test]
    fn a_path_only_proposes() {
        let scratch = Scratch::new();
        scratch.folder("in");
        scratch.write("in/file", "");
        scratch.write("other", "");
        let (name, path) = (scratch.text("in"), scratch.text("in/file"));
        let look = Look::patiently();
        let tree = Tree::find(&look, name.as_bytes());
        let object = Object::find(&look, nix::fcntl::AT_FDCWD, path.as_bytes(), STRAIGHT).unwrap();
        assert_eq!(tree.holds(&look, &object, path.as_bytes()), Lies::Within);
        std::fs::rename(scratch.path("in/file"), scratch.path("moved")).unwrap();
        assert_eq!(tree.holds(&look, &object, path.as_bytes()), Lies::Perhaps, "it is not there any more");
        std::fs::rename(scratch.path("other"), scratch.path("in/file")).unwrap();
        assert_eq!(tree.holds(&look, &object, path.as_bytes()), Lies::Perhaps, "another is there");
        assert_eq!(tree.holds(&look, &object, &object.path().unwrap()), Lies::Outside);
        std::fs::remove_file(scratch.path("moved")).unwrap();
        assert_eq!(tree.holds(&look, &object, &object.path().unwrap()), Lies::Outside, "it is nowhere");
    }

    #[test]
    fn a_tree_is_there_or_could_be_or_cannot() {
        let scratch = Scratch::new();
        scratch.folder("a/b");
        scratch.write("a/file", "");
        assert!(matches!(find(&scratch, "/a/b"), State::Here(it, _) if it.kind == ObjectKind::Folder));
        assert!(matches!(find(&scratch, "/a/file"), State::Here(it, _) if it.kind == ObjectKind::File));
        assert!(matches!(find(&scratch, "/a/later"), State::Absent(_, name) if name == b"later"));
        assert!(matches!(find(&scratch, "/a/later/x"), State::Nowhere));
        assert!(matches!(find(&scratch, "/a/file/x"), State::Nowhere));
    }

    #[test]
    fn roots_links_lead_to_a_tree_and_those_of_others_make_it_unknown() {
        let scratch = Scratch::new();
        let target = scratch.folder("run/it");
        symlink("/run", scratch.path("var")).unwrap();
        assert!(
            matches!(find(&scratch, "/var/it"), State::Here(_, path) if path == target.as_os_str().as_bytes()),
            "links are read as in that root"
        );
        assert!(matches!(find(&scratch, "/var/later"), State::Absent(..)));
        symlink("two", scratch.path("one")).unwrap();
        symlink("one", scratch.path("two")).unwrap();
        assert!(matches!(find(&scratch, "/one"), State::Unknown));
        if !nix::unistd::geteuid().is_root() {
            return;
        }
        lchown(scratch.path("var"), Some(1234), None).unwrap();
        assert!(matches!(find(&scratch, "/var/it"), State::Unknown), "it is theirs");
        lchown(scratch.path("var"), Some(0), None).unwrap();
        std::fs::set_permissions(scratch.path(""), std::fs::Permissions::from_mode(0o1777)).unwrap();
        assert!(matches!(find(&scratch, "/var/it"), State::Unknown), "they can have put it there");
    }
}
