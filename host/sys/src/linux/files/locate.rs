//! Finding what a client means by a path, and in which trees it lies.

use super::super::patience::Held;
use super::local::{Look, look_up};
use super::object::{BY_LINKS, Facts, Object, STRAIGHT, ends, without_leading};
use super::trees::{Lies, Tree};
use crate::{Found, Located, ObjectKind};
use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, ResolveFlag};

/// See [`crate::Files::locate`].
///
/// The thing is found first and never looked up again: all that is said is said of what is held. The trees are looked at
/// afterwards, so that a tree which was not there a moment before is not missed. What cannot be found out at once another
/// thread finds out, the thing and each tree for itself: a tree that does not answer is one that could not be looked at.
pub(super) fn locate(path: &[u8], names: &[&str]) -> Result<Located, Errno> {
    let theirs = path.to_vec();
    let (held, way) = look_up(("look", path.to_vec()), move |look| {
        Way::find(look, &theirs).map(|(object, way)| (look.hold(object.descriptor), way))
    })?;
    let (mut is_straight, mut within, mut perhaps) = (false, Vec::new(), Vec::new());
    for (position, name) in names.iter().enumerate() {
        let tree = way.compare(name);
        is_straight |= tree.is_straight;
        match tree.lies {
            Lies::Within => within.push(position),
            Lies::Perhaps => perhaps.push(position),
            Lies::Outside => {}
        }
    }
    Ok(way.conclude(held, is_straight, within, perhaps))
}

/// The way that a client named, and what there is at its end.
#[derive(Clone)]
struct Way {
    path: Vec<u8>,
    /// How much of the path leads to `object`, in bytes.
    length: usize,
    by_links: bool,
    /// The last thing on the way that is there, and its path without links.
    object: Facts,
    real: Vec<u8>,
    end: End,
}

/// What a tree has to do with a way.
struct Compared {
    lies: Lies,
    is_straight: bool,
}

impl Way {
    fn find(look: &Look, path: &[u8]) -> Result<(Object, Self), Errno> {
        let Reached { object, length, by_links, errno } = Reached::find(look, path)?;
        let end = match errno {
            None => End::Object,
            Some(errno) => End::missing(look, &object, &path[length..], errno)?,
        };
        let (facts, real) = (object.facts.clone(), object.path()?);
        let way = Way { path: path.to_vec(), length, by_links, object: facts, real, end };
        Ok((object, way))
    }

    fn compare(&self, name: &str) -> Compared {
        let (way, theirs) = (self.clone(), name.as_bytes().to_vec());
        let compared = look_up(("tree", name.as_bytes().to_vec()), move |look| {
            Ok(way.compare_with(&Tree::find(look, &theirs), look))
        });
        compared.unwrap_or(Compared { lies: Lies::Perhaps, is_straight: false })
    }

    fn compare_with(&self, tree: &Tree<'_>, look: &Look) -> Compared {
        let (way, rest) = self.path.split_at(self.length);
        let lies = match tree.holds(look, &self.object, &self.real) {
            _ if self.end == End::LooseLink => Lies::Outside,
            _ if self.end == End::Place && tree.begins_as(&self.object, trimmed(rest)) => Lies::Within,
            lies => lies,
        };
        Compared { lies, is_straight: self.by_links && tree.leads_straight(look, way, &self.object) }
    }

    fn conclude(self, held: Held, is_straight: bool, within: Vec<usize>, perhaps: Vec<usize>) -> Located {
        let Way { path, length, by_links, object, real, end } = self;
        let rest = &path[length..];
        let is_there = end == End::Object;
        Located {
            path: if is_there { real } else { joined(real, rest) },
            kind: if is_there { object.kind } else { ObjectKind::Missing },
            size: if is_there { object.size } else { 0 },
            has_other_names: is_there && object.has_other_names,
            by_link: end == End::LooseLink || by_links && !is_straight,
            within,
            perhaps,
            is_plain: object.is_plain,
            found: match end {
                End::Object => Found::Object(held),
                End::Place => Found::Place { folder: held, name: without_leading(rest).to_vec() },
                End::LooseLink => Found::Nothing(Errno::ENOENT),
                End::Nothing(errno) => Found::Nothing(errno),
            },
        }
    }
}

/// How far a path leads.
struct Reached {
    /// The last thing on the way that is there.
    object: Object,
    /// How much of the path leads there, in bytes.
    length: usize,
    /// Whether by way of links.
    by_links: bool,
    /// Why no further, if the path is not at its end.
    errno: Option<Errno>,
}

impl Reached {
    fn find(look: &Look, path: &[u8]) -> Result<Self, Errno> {
        match Self::by(look, path, STRAIGHT) {
            Err(Errno::ELOOP) => Self::by(look, path, BY_LINKS),
            reached => reached,
        }
    }

    fn by(look: &Look, path: &[u8], how: ResolveFlag) -> Result<Self, Errno> {
        let by_links = how == BY_LINKS;
        let errno = match Object::find(look, AT_FDCWD, path, how) {
            Ok(object) => return Ok(Reached { object, length: path.len(), by_links, errno: None }),
            Err(errno) => errno,
        };
        // Any other says nothing of the path; and of a link, the way without links knows nothing.
        let is_of_the_path = matches!(errno, Errno::ENOENT | Errno::ENOTDIR | Errno::EACCES | Errno::ENAMETOOLONG);
        if path.is_empty() || path.contains(&0) || !(is_of_the_path || errno == Errno::ELOOP && by_links) {
            return Err(errno);
        }
        // What cannot be reached, nothing behind it can: so halves are enough, and a path of a thousand steps costs a dozen.
        let ends = ends(path);
        let (mut low, mut high) = (0, ends.len() - usize::from(!path.ends_with(b"/")));
        let mut object = Object::find(look, AT_FDCWD, if path.starts_with(b"/") { b"/" } else { b"." }, how)?;
        while low < high {
            let middle = high - (high - low) / 2;
            match Object::find(look, AT_FDCWD, &path[..ends[middle - 1]], how) {
                Ok(further) => (object, low) = (further, middle),
                Err(_) => high = middle - 1,
            }
        }
        let length = low.checked_sub(1).map_or(0, |last| ends[last]);
        Ok(Reached { object, length, by_links, errno: Some(errno) })
    }
}

/// What is at the end of a path.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Object,
    /// Nothing yet.
    Place,
    /// A link that leads nowhere: whoever made it chose where the thing would be, and nobody else knows.
    LooseLink,
    Nothing(Errno),
}

impl End {
    /// Behind `object`, from which `rest` led no further for the reason `errno`.
    fn missing(look: &Look, object: &Object, rest: &[u8], errno: Errno) -> Result<Self, Errno> {
        let rest = trimmed(rest);
        let step = rest.split(|byte| *byte == b'/').next().unwrap_or(rest);
        if object.kind != ObjectKind::Folder || step.is_empty() {
            return Ok(End::Nothing(errno));
        }
        match Object::step(look, &object.descriptor, step).map(|there| there.is_link) {
            Ok(true) => Ok(End::LooseLink),
            // It is there by now.
            Ok(false) if errno == Errno::ENOENT => Err(Errno::EAGAIN),
            Err(Errno::ENOENT) if errno == Errno::ENOENT && step == rest => Ok(End::Place),
            _ => Ok(End::Nothing(errno)),
        }
    }
}

fn trimmed(path: &[u8]) -> &[u8] {
    let path = without_leading(path);
    &path[..path.len() - path.iter().rev().take_while(|byte| **byte == b'/').count()]
}

/// The path that something would have: `rest` below `real`, as far as that is plain.
fn joined(mut real: Vec<u8>, rest: &[u8]) -> Vec<u8> {
    let steps = rest.split(|byte| *byte == b'/').filter(|step| !step.is_empty() && *step != b".");
    for step in steps.take_while(|step| *step != b"..") {
        if !real.ends_with(b"/") {
            real.push(b'/');
        }
        real.extend_from_slice(step);
    }
    real
}

#[cfg(test)]
mod tests {
    use super::super::tests::Scratch;
    use super::*;
    use nix::sys::stat::Mode;
    use nix::unistd::mkfifo;
    use std::os::unix::fs::symlink;

    /// A folder with the trees `in` and `in/deep`, and a file outside of both.
    fn scratch() -> Scratch {
        let scratch = Scratch::new();
        scratch.folder("in/deep");
        scratch.write("in/file", "text");
        scratch.write("in/deep/file", "deep");
        scratch.write("outside", "secret");
        scratch
    }

    fn look(scratch: &Scratch, path: &str) -> Result<Located, Errno> {
        let trees = ["in", "in/deep", "in/later", "no/such"].map(|tree| scratch.text(tree));
        let trees: Vec<&str> = trees.iter().map(String::as_str).collect();
        locate(scratch.text(path).as_bytes(), &trees)
    }

    /// In which trees it lies, perhaps lies, and whether links lead there.
    fn lies(scratch: &Scratch, path: &str) -> (Vec<usize>, Vec<usize>, bool) {
        let located = look(scratch, path).unwrap();
        (located.within, located.perhaps, located.by_link)
    }

    #[test]
    fn a_thing_lies_where_it_is_and_not_where_its_path_begins() {
        let scratch = scratch();
        assert_eq!(lies(&scratch, "in/file"), (vec![0], vec![], false));
        assert_eq!(lies(&scratch, "in/deep/file"), (vec![0, 1], vec![], false));
        assert_eq!(lies(&scratch, "in/deep"), (vec![0, 1], vec![], false));
        assert_eq!(lies(&scratch, "in/../outside"), (vec![], vec![], false));
        assert_eq!(lies(&scratch, "in/deep/../../in//./file"), (vec![0], vec![], false));
        let located = look(&scratch, "in/deep/../file").unwrap();
        assert_eq!(located.path, scratch.text("in/file").into_bytes());
        assert_eq!((located.kind, located.size), (ObjectKind::File, 4));
    }

    #[test]
    fn links_are_seen_and_what_they_lead_to_counts() {
        let scratch = scratch();
        symlink("deep", scratch.path("in/link")).unwrap();
        symlink(scratch.path("outside"), scratch.path("in/out")).unwrap();
        symlink("in", scratch.path("alias")).unwrap();
        assert_eq!(lies(&scratch, "in/link/file"), (vec![0, 1], vec![], true));
        assert_eq!(lies(&scratch, "in/out"), (vec![], vec![], true));
        assert_eq!(lies(&scratch, "alias/file"), (vec![0], vec![], true));
    }

    #[test]
    fn another_name_might_lie_in_any_tree() {
        let scratch = scratch();
        std::fs::hard_link(scratch.path("outside"), scratch.path("in/name")).unwrap();
        let located = look(&scratch, "in/name").unwrap();
        assert!(located.has_other_names);
        assert_eq!((located.within, located.perhaps), (vec![0], vec![1]));
        assert_eq!(lies(&scratch, "outside"), (vec![], vec![0, 1], false));
    }

    #[test]
    fn what_is_missing_lies_where_it_would_be() {
        let scratch = scratch();
        let located = look(&scratch, "in/deep/new").unwrap();
        assert!(matches!(&located.found, Found::Place { name, .. } if name == b"new"));
        assert_eq!(located.path, scratch.text("in/deep/new").into_bytes());
        assert_eq!((located.kind, located.within), (ObjectKind::Missing, vec![0, 1]));
        assert_eq!(lies(&scratch, "new"), (vec![], vec![], false));
        assert_eq!(lies(&scratch, "in/later"), (vec![0, 2], vec![], false), "a tree may be a file to come");
        assert!(matches!(look(&scratch, "in/new/").unwrap().found, Found::Place { name, .. } if name == b"new/"));
    }

    #[test]
    fn where_nothing_can_be_the_last_thing_on_the_way_counts() {
        let scratch = scratch();
        let nothing = |path: &str| match look(&scratch, path).unwrap() {
            Located { found: Found::Nothing(errno), within, .. } => (errno, within),
            other => panic!("{path}: {other:?}"),
        };
        assert_eq!(nothing("in/deep/no/such/file"), (Errno::ENOENT, vec![0, 1]));
        assert_eq!(nothing("in/no/../file"), (Errno::ENOENT, vec![0]));
        assert_eq!(nothing("no/such/file"), (Errno::ENOENT, vec![]));
        assert_eq!(nothing("in/file/x"), (Errno::ENOTDIR, vec![0]));
        assert_eq!(nothing("in/file/"), (Errno::ENOTDIR, vec![0]));
        assert_eq!(nothing("outside/"), (Errno::ENOTDIR, vec![]));
        assert_eq!(nothing(&format!("in/{}", "x".repeat(256))), (Errno::ENAMETOOLONG, vec![0]));
        assert_eq!(nothing(&format!("in/{}x", "x/".repeat(2000))), (Errno::ENOENT, vec![0]));
        assert_eq!(nothing(&format!("in/{}x", "./".repeat(2048))), (Errno::ENAMETOOLONG, vec![0]));
    }

    #[test]
    fn a_link_that_leads_nowhere_lies_nowhere() {
        let scratch = scratch();
        symlink("../new", scratch.path("in/dangling")).unwrap();
        symlink("loop", scratch.path("in/loop")).unwrap();
        symlink("/proc/self/fd/0", scratch.path("in/magic")).unwrap();
        for path in ["in/dangling", "in/dangling/", "in/dangling/x", "in/loop", "in/loop/x", "in/magic"] {
            let located = look(&scratch, path).unwrap();
            assert!(matches!(located.found, Found::Nothing(_)), "{path}: {located:?}");
            assert_eq!((located.within, located.perhaps, located.by_link), (vec![], vec![], true), "{path}");
        }
    }

    #[test]
    fn links_into_a_process_lead_nowhere() {
        for path in ["/proc/self/root", "/proc/self/cwd/x", "/proc/self/fd/0", "/dev/fd/0", "/dev/stdin"] {
            let located = locate(path.as_bytes(), &["/"]).unwrap();
            assert!(matches!(located.found, Found::Nothing(_)) && located.within.is_empty(), "{path}: {located:?}");
        }
    }

    #[test]
    fn nothing_happens_to_what_is_found() {
        let scratch = scratch();
        mkfifo(&scratch.path("in/fifo"), Mode::from_bits_truncate(0o600)).unwrap();
        let located = look(&scratch, "in/fifo").unwrap();
        assert_eq!((located.kind, located.within), (ObjectKind::Special, vec![0]));
        assert_eq!(locate(b"/dev/null", &["/dev/null"]).unwrap().within, [0]);
    }

    #[test]
    fn what_is_no_path_is_refused() {
        assert_eq!(locate(b"/dev/null\0", &["/"]).err(), Some(Errno::EINVAL));
        assert_eq!(locate(b"", &["/"]).err(), Some(Errno::ENOENT));
    }
}
