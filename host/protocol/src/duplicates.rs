//! No object may have the same key twice: whoever reads it later would have to choose, and two readers could choose
//! differently.

use std::collections::HashMap;
use std::collections::hash_map::{Entry, RandomState};
use std::hash::BuildHasher;
use std::ops::Range;

/// Objects with at most this many keys are searched one by one, which is quicker than hashing and needs no memory
/// of its own.
const FEW: usize = 16;

/// The keys of all objects that are open in a message, each as a place in the message's text. Keys compare as bytes:
/// whoever stores them sees to it that equal keys are spelt alike.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    /// The keys of the objects with few keys, innermost object last.
    few: Vec<Range<usize>>,
    objects: Vec<Object>,
    /// Keyed anew in each process, so that nobody can send keys that collide.
    hasher: RandomState,
}

#[derive(Debug)]
struct Object {
    /// Where its keys begin in `few`.
    first: usize,
    /// All its keys by hash, once they are many. Keys with the same hash take the next free number.
    many: Option<HashMap<u64, Range<usize>>>,
}

impl Keys {
    /// An object begins.
    pub(crate) fn open(&mut self) {
        self.objects.push(Object { first: self.few.len(), many: None });
    }

    /// The innermost object ends.
    pub(crate) fn close(&mut self) {
        if let Some(object) = self.objects.pop() {
            self.few.truncate(object.first);
        }
    }

    /// Adds the key at `key` in `text` to the innermost object. Tells whether it is new there.
    pub(crate) fn insert(&mut self, text: &[u8], key: Range<usize>) -> bool {
        let Some(object) = self.objects.last_mut() else { return true };
        if let Some(many) = &mut object.many {
            return insert_hashed(many, &self.hasher, text, key);
        }
        let few = &self.few[object.first..];
        if few.iter().any(|known| text[known.clone()] == text[key.clone()]) {
            return false;
        }
        if few.len() == FEW {
            let mut many = HashMap::new();
            for known in self.few.drain(object.first..) {
                insert_hashed(&mut many, &self.hasher, text, known);
            }
            insert_hashed(&mut many, &self.hasher, text, key);
            object.many = Some(many);
        } else {
            self.few.push(key);
        }
        true
    }

    /// Forgets everything, for the next message.
    pub(crate) fn reset(&mut self) {
        self.few.clear();
        self.objects.clear();
    }
}

fn insert_hashed(many: &mut HashMap<u64, Range<usize>>, hasher: &RandomState, text: &[u8], key: Range<usize>) -> bool {
    let mut number = hasher.hash_one(&text[key.clone()]);
    loop {
        match many.entry(number) {
            Entry::Vacant(place) => {
                place.insert(key);
                return true;
            }
            Entry::Occupied(known) if text[known.get().clone()] == text[key.clone()] => return false,
            Entry::Occupied(_) => number = number.wrapping_add(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_new_once_per_object_whether_few_or_many() {
        let text: String = (0..1000).map(|number| format!("{number:04}")).collect();
        let mut keys = Keys::default();
        keys.open();
        for index in 0..1000 {
            assert!(keys.insert(text.as_bytes(), index * 4..index * 4 + 4), "{index}");
            assert!(!keys.insert(text.as_bytes(), index * 4..index * 4 + 4), "{index}");
            assert!(!keys.insert(text.as_bytes(), 0..4), "after {index}");
        }
    }

    #[test]
    fn objects_do_not_share_keys() {
        let mut keys = Keys::default();
        keys.open();
        assert!(keys.insert(b"a", 0..1));
        keys.open();
        assert!(keys.insert(b"a", 0..1));
        keys.close();
        keys.open();
        assert!(keys.insert(b"a", 0..1));
        keys.close();
        assert!(!keys.insert(b"a", 0..1));
    }

    #[test]
    fn equal_hashes_are_not_taken_for_equal_keys() {
        let (mut many, hasher) = (HashMap::new(), RandomState::new());
        // Put another key where "b" belongs.
        many.insert(hasher.hash_one(&b"b"[..]), 0..1);
        assert!(insert_hashed(&mut many, &hasher, b"ab", 1..2));
        assert!(!insert_hashed(&mut many, &hasher, b"ab", 1..2));
        assert_eq!(many.len(), 2);
    }
}
