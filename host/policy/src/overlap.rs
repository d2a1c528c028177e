//! Whether two patterns of paths have anything in common.

use crate::tree::MANY;

/// Whether some path matches both patterns of paths; see [`crate::matches`]. Where a pattern has more than one component
/// `...` the answer may be yes without need.
pub fn overlap(one: &str, other: &str) -> bool {
    let one: Vec<_> = one.as_bytes().split(|byte| *byte == b'/').collect();
    let other: Vec<_> = other.as_bytes().split(|byte| *byte == b'/').collect();
    paths(&one, &other)
}

fn paths(one: &[&[u8]], other: &[&[u8]]) -> bool {
    let (Some((first, rest)), Some((second, others))) = (one.split_first(), other.split_first()) else {
        return one.is_empty() && other.is_empty();
    };
    let (many, much) = (*first == MANY, *second == MANY);
    let fit = many || much || names(first, second);
    fit && (paths(rest, others) || (many && paths(one, others)) || (much && paths(rest, other)))
}

fn names(one: &[u8], other: &[u8]) -> bool {
    match (one, other) {
        ([b'*', rest @ ..], _) => names(rest, other) || (!other.is_empty() && names(one, &other[1..])),
        (_, [b'*', ..]) => names(other, one),
        ([first, rest @ ..], [second, others @ ..]) => first == second && names(rest, others),
        _ => one.is_empty() && other.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_path_matches_overlaps() {
        for (one, other) in [
            ("/proc/stat", "/proc/stat"),
            ("/proc/*", "/proc/stat"),
            ("/proc/s*", "/proc/*t"),
            ("/*/*", "/proc/net*"),
            ("/sys/devices/.../size", "/sys/.../sda/size"),
            ("/sys/devices/...", "/sys/devices/a/b/c"),
            ("/a/*b*c", "/a/ab*"),
        ] {
            assert!(overlap(one, other) && overlap(other, one), "{one} {other}");
        }
        for (one, other) in [
            ("/proc/stat", "/proc/meminfo"),
            ("/proc/*", "/proc"),
            ("/proc/s*", "/proc/net/*"),
            ("/proc/a*", "/proc/b*"),
            ("/sys/devices/.../size", "/sys/block/*/size"),
            ("/sys/devices/...", "/sys/devices"),
        ] {
            assert!(!overlap(one, other) && !overlap(other, one), "{one} {other}");
        }
    }
}
