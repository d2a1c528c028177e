//! What is counted.

mod base64;
mod policy;
mod returns;
mod sample;
mod wire;
mod yardstick;

pub use yardstick::YARDSTICKS;

/// A piece of work that can be repeated.
#[derive(Debug)]
pub struct Case {
    /// Its name in `baseline.toml`.
    pub name: &'static str,
    /// What one repetition does.
    pub what: &'static str,
    /// How often it is repeated for a count: so often that a start of the program is small beside it, and so seldom that
    /// valgrind, which is fifty times slower than the processor, is done in a second.
    pub count: u32,
    /// Makes what it needs, which is not counted, and gives what is.
    pub prepare: fn() -> Repetition,
}

/// One repetition. It checks what came of its work, or the compiler might leave it out.
pub type Repetition = Box<dyn FnMut()>;

/// All that have a baseline, in the order in which a request meets them.
pub fn all() -> impl Iterator<Item = &'static Case> {
    [wire::CASES, policy::CASES, base64::CASES, returns::CASES].into_iter().flatten()
}

/// The case of this name, a yardstick perhaps.
pub fn named(name: &str) -> Option<&'static Case> {
    all().chain(YARDSTICKS).find(|case| case.name == name)
}

/// Does it `count` times. This is what valgrind looks at.
pub fn run(case: &Case, count: u32) {
    let mut repetition = (case.prepare)();
    (0..count).for_each(|_| repetition());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_can_be_repeated() {
        all().chain(YARDSTICKS).for_each(|case| run(case, 2));
    }

    #[test]
    fn each_has_a_name_of_its_own_that_needs_no_quotes() {
        let mut names: Vec<&str> = all().chain(YARDSTICKS).map(|case| case.name).collect();
        assert!(
            names.iter().all(|name| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')),
            "{names:?}"
        );
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
