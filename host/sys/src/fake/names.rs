//! Other names of things.

use super::Fake;
use crate::Thing;

/// Pairs of names that are names of one thing.
pub(super) type Names = Vec<(&'static str, &'static str)>;

impl Fake {
    /// Makes `other` another name of the user, or of what is mounted, at `name`.
    pub fn name_also(&self, name: &'static str, other: &'static str) {
        self.0.borrow_mut().same.push((name, other));
    }
}

impl crate::Names for Fake {
    fn same(&self, thing: Thing<'_>, names: &[&str]) -> Vec<usize> {
        let state = &self.0.borrow();
        let (own, pairs) = match thing {
            Thing::Program(located) => (located.path.as_slice(), &state.processes.links),
            Thing::User(name) => (name.as_bytes(), &state.same),
            Thing::MountPoint(path) => (path, &state.same),
        };
        let joins = |one: &str, other: &str| {
            let joined = |pair: &(&str, &str)| *pair == (one, other) || *pair == (other, one);
            one == other || pairs.iter().any(joined)
        };
        let is_same = |name: &&str| str::from_utf8(own).is_ok_and(|own| joins(name, own));
        (0..names.len()).filter(|position| is_same(&names[*position])).collect()
    }
}
