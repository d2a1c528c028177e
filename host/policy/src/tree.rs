//! Paths as text, where that is enough: where one path is one thing by construction, as in /proc and /sys.

/// A component of a pattern that stands for one or more components of a path.
pub(crate) const MANY: &[u8] = b"...";

/// Whether `path` matches a pattern, component by component. `*` in a component of the pattern is any text without a
/// slash; one component `...` is one or more of any name. A path that is not plain (relative, with `.` or `..`, with an
/// empty component) matches nothing.
pub fn matches(pattern: &str, path: &[u8]) -> bool {
    let (Some(pattern), Some(path)) = (components(pattern.as_bytes()), components(path)) else { return false };
    match pattern.iter().position(|component| *component == MANY) {
        None => pattern.len() == path.len() && fit(&pattern, &path),
        Some(many) => {
            let (head, tail) = (&pattern[..many], &pattern[many + 1..]);
            path.len() >= pattern.len() && fit(head, &path) && fit(tail, &path[path.len() - tail.len()..])
        }
    }
}

/// The components of an absolute and plain path; nothing if it is anything else.
fn components(path: &[u8]) -> Option<Vec<&[u8]>> {
    let plain = |name: &&[u8]| !matches!(*name, b"" | b"." | b"..") && !name.contains(&0);
    let components: Vec<_> = path.strip_prefix(b"/")?.split(|byte| *byte == b'/').collect();
    components.iter().all(plain).then_some(components)
}

fn fit(patterns: &[&[u8]], names: &[&[u8]]) -> bool {
    patterns.iter().zip(names).all(|(pattern, name)| is_like(pattern, name))
}

/// Whether a name, a component of a path or another, is like a pattern in which `*` is any text. Each `*` takes as little as it
/// can, and the last one what is left.
pub(crate) fn is_like(pattern: &[u8], name: &[u8]) -> bool {
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
        assert!(matches("/a/*b*c", b"/a/xbybzc") && matches("/a/b*c", b"/a/bc"));
        assert!(!matches("/a/*b*c", b"/a/xbybz") && !matches("/a/ab*ba", b"/a/aba") && !matches("/a", b"/a*"));
        assert!(!matches("/a/*", b"/a/b/c"), "a star does not cross a slash");
        assert!(!matches("/a/*", b"/a"), "and is a component");
    }

    #[test]
    fn three_dots_are_one_component_or_more() {
        assert!(matches("/sys/devices/.../vendor", b"/sys/devices/pci0000:00/vendor"));
        assert!(matches("/sys/devices/.../vendor", b"/sys/devices/pci0000:00/0000:00:05.0/virtio2/vendor"));
        assert!(!matches("/sys/devices/.../vendor", b"/sys/devices/vendor"));
        assert!(!matches("/sys/devices/.../vendor", b"/sys/devices/pci0000:00/secret"));
        assert!(!matches("/sys/devices/.../vendor", b"/sys/block/pci0000:00/vendor"));
        assert!(matches("/sys/devices/...", b"/sys/devices/a/b") && !matches("/sys/devices/...", b"/sys/devices"));
    }

    #[test]
    fn a_path_that_is_not_plain_matches_nothing() {
        for path in [&b"/a/../etc"[..], b"/a/./b", b"//a/b", b"/a/b/", b"a/b", b"", b"/a/", b"/a/\0"] {
            let any = ["/*/*", "/*/*/*", "/...", "/.../*"].iter().any(|pattern| matches(pattern, path));
            assert!(!any, "{}", String::from_utf8_lossy(path));
        }
    }
}
