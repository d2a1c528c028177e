//! The keys of a return whose text is not kept: those of the objects that are open, to find one that comes twice.

use crate::checker::NotOneValue;
use crate::duplicates::Keys;
use crate::grammar::Role;
use crate::lexer::Token;
use crate::rewrite::rewrite;

/// How many keys the objects that are open may have together. It bounds memory that a return of nothing but keys would cost, some ten times
/// its own; the largest return of a built-in module that has objects, guest-get-fsinfo's, has ten open at a time.
const MOST: usize = 65_536;

/// The keys.
#[derive(Debug, Default)]
pub(crate) struct UniqueKeys {
    keys: Keys,
    /// Their texts, those of the innermost object last, and what there is of the one that is being read.
    text: Vec<u8>,
    /// Where in it the one that is being read begins.
    begin: usize,
    /// Of each object that is open: where its texts begin, and how many keys there were before it.
    objects: Vec<(usize, usize)>,
    count: usize,
}

impl UniqueKeys {
    /// Bytes of a token where a key may be.
    pub(crate) fn hear(&mut self, bytes: &[u8]) {
        self.text.extend_from_slice(bytes);
    }

    /// A token has ended, and was that.
    pub(crate) fn take(&mut self, token: Token, role: Role) -> Result<(), NotOneValue> {
        match (role, token) {
            (Role::Key, Token::String(facts)) => self.insert(facts.escaped),
            (Role::Opens, Token::ObjectOpen) => {
                self.objects.push((self.text.len(), self.count));
                self.keys.open();
                Ok(())
            }
            (Role::Closes, Token::ObjectClose) => {
                let (length, count) = self.objects.pop().unwrap_or_default();
                self.text.truncate(length);
                (self.begin, self.count) = (length, count);
                self.keys.close();
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn insert(&mut self, escaped: bool) -> Result<(), NotOneValue> {
        if escaped {
            // Equal keys are spelt alike.
            let contents = self.text.get(self.begin + 1..self.text.len() - 1).unwrap_or_default();
            let plain = rewrite(contents, contents.len()).map_err(|_| NotOneValue::Malformed)?;
            self.text.truncate(self.begin);
            self.text.extend_from_slice(format!("\"{plain}\"").as_bytes());
        }
        self.count += 1;
        if self.count > MOST {
            return Err(NotOneValue::TooManyKeys);
        }
        let key = self.begin..self.text.len();
        self.begin = key.end;
        if self.keys.insert(&self.text, key) { Ok(()) } else { Err(NotOneValue::DuplicateKey) }
    }
}

#[cfg(test)]
mod tests {
    use super::MOST;
    use crate::checker::{NotOneValue, ReturnChecker};

    /// The verdict on `text`, which must be the same in one piece and in single bytes.
    fn check(text: &str) -> Result<(), NotOneValue> {
        let verdicts = [usize::MAX, 1].map(|length| {
            let mut checker = ReturnChecker::with_unique_keys();
            let pieces = text.as_bytes().chunks(length.min(text.len()));
            pieces.into_iter().try_for_each(|piece| checker.feed(piece)).and_then(|()| checker.finish())
        });
        assert_eq!(verdicts[0], verdicts[1], "{text}");
        verdicts[0]
    }

    #[test]
    fn a_key_that_comes_twice_is_found_however_it_is_spelt() {
        for text in [
            r#"{"a": 1, "a": 2}"#,
            r#"{"a": 1, "b": {"x": 1}, "a": 2}"#,
            r#"[{"a": [{"a": 1, "b": 2, "a": 3}]}]"#,
            r#"{"a": 1, "\u0061": 2}"#,
            r#"{"a/": 1, "a\/": 2}"#,
            r#"{"\u000a": 1, "\n": 2}"#,
            r#"{"": {}, "": {}}"#,
            r#"{"a" : {"b": 1} , "c": [], "a" : 1}"#,
        ] {
            assert_eq!(check(text), Err(NotOneValue::DuplicateKey), "{text}");
        }
        let many: String = (0..100).map(|number| format!("\"{number}\": [], ")).collect();
        assert_eq!(check(&format!("{{{many}\"57\": 1}}")), Err(NotOneValue::DuplicateKey));
        assert_eq!(check(&format!("{{{many}\"100\": 1}}")), Ok(()));
    }

    #[test]
    fn objects_have_keys_of_their_own() {
        for text in [
            "{}",
            r#"{"a": {"a": {"a": 1}}}"#,
            r#"[{"a": 1}, {"a": 1}, "a", "a"]"#,
            r#"{"a": "a", "b": "a", "aa": {}, "ab": {}, "A": 1}"#,
            r#"{"a": {"b": 1, "c": {}}, "b": {"b": 1}, "c": 1}"#,
            r#"{"\ud83d\ude00": 1, "\ud83d\ude01": 1}"#,
        ] {
            assert_eq!(check(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn what_a_key_costs_is_bounded() {
        let keys = |count: usize| (0..count).map(|number| format!("\"{number}\":1")).collect::<Vec<_>>().join(",");
        let mut checker = ReturnChecker::with_unique_keys();
        assert_eq!(checker.feed(format!("{{{},", keys(MOST)).as_bytes()), Ok(()));
        assert_eq!(checker.feed(b"\"x\":1}"), Err(NotOneValue::TooManyKeys));
        // One object after the other costs what one does.
        let mut checker = ReturnChecker::with_unique_keys();
        let objects = vec![format!("{{{}}}", keys(MOST / 2)); 3].join(",");
        checker.feed(format!("[{objects}]").as_bytes()).unwrap();
        checker.finish().unwrap();
    }

    #[test]
    fn base64_is_not_a_key() {
        let mut checker = ReturnChecker::with_unique_keys();
        checker.feed(b"{\"").unwrap();
        assert_eq!(checker.feed_base64(), Err(NotOneValue::Malformed));
        let mut checker = ReturnChecker::with_unique_keys();
        checker.feed(b"{\"a\": \"").unwrap();
        checker.feed_base64().unwrap();
        checker.feed(b"\"}").unwrap();
        checker.finish().unwrap();
    }
}
