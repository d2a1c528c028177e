//! Paths as text, where that is enough: in the agent's own list of system files, and to find out which trees to look at.

/// Whether `path` matches a pattern, component by component. `*` in a component of the pattern is any text without a
/// slash. A path that is not plain (relative, with `.` or `..`, with an empty component) matches nothing.
pub(crate) fn matches(pattern: &str, path: &[u8]) -> bool {
    let (Some(pattern), Some(path)) = (pattern.as_bytes().strip_prefix(b"/"), path.strip_prefix(b"/")) else {
        return false;
    };
    let (mut pattern, mut path) = (pattern.split(is_slash), path.split(is_slash));
    loop {
        match (pattern.next(), path.next()) {
            (None, None) => return true,
            (Some(pattern), Some(name)) if is_plain(name) && component(pattern, name) => {}
            _ => return false,
        }
    }
}

/// Whether `path`, as text, is `tree` or below it. Only says where it is worth looking: what the path leads to, the
/// gate asks the kernel.
pub fn within(tree: &str, path: &[u8]) -> bool {
    let tree = tree.trim_end_matches('/').as_bytes();
    path.strip_prefix(tree).is_some_and(|rest| rest.is_empty() || rest[0] == b'/')
}

fn is_slash(byte: &u8) -> bool {
    *byte == b'/'
}

fn is_plain(name: &[u8]) -> bool {
    !name.is_empty() && name != b"." && name != b".." && !name.contains(&0)
}

/// Whether one component matches; each `*` takes as little as it can, and the last one what is left.
fn component(pattern: &[u8], name: &[u8]) -> bool {
    let mut pieces = pattern.split(|byte| *byte == b'*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let mut pieces = pieces.peekable();
    if pieces.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(piece) = pieces.next() {
        if pieces.peek().is_none() {
            return rest.ends_with(piece);
        }
        let Some(at) = (0..=rest.len()).find(|at| rest[*at..].starts_with(piece)) else { return false };
        rest = &rest[at + piece.len()..];
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_matches_component_by_component() {
        assert!(matches("/sys/devices/system/cpu/cpu*/online", b"/sys/devices/system/cpu/cpu12/online"));
        assert!(matches("/proc/stat", b"/proc/stat"));
        assert!(matches("/a/*b*c", b"/a/xbybzc"));
        assert!(!matches("/a/*b*c", b"/a/xbybz"));
        assert!(!matches("/a/*", b"/a/b/c"), "a star does not cross a slash");
        assert!(!matches("/a/*", b"/a"), "and is a component");
    }

    #[test]
    fn a_path_that_is_not_plain_matches_nothing() {
        for path in [&b"/a/../etc"[..], b"/a/./b", b"//a/b", b"/a/b/", b"a/b", b"", b"/a/", b"/a/\0"] {
            assert!(!matches("/*/*", path) && !matches("/*/*/*", path), "{}", String::from_utf8_lossy(path));
        }
    }

    #[test]
    fn a_tree_is_itself_and_what_is_below() {
        assert!(within("/var/log", b"/var/log/x") && within("/var/log", b"/var/log") && within("/", b"/etc"));
        assert!(!within("/var/log", b"/var/logs") && !within("/var/log", b"/var"));
    }
}
