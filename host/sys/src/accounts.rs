//! Users' keys.

use crate::{KeysError, Rehearsal, System};

/// Reading and replacing the keys with which a user can log in.
pub trait Accounts {
    /// The text of the user's authorized_keys, read with the user's rights; `EFBIG` if it is longer than `limit` bytes.
    fn read_keys(&self, user: &str, limit: usize) -> Result<Vec<u8>, KeysError>;

    /// Replaces the user's authorized_keys, with the user's rights.
    fn write_keys(&self, user: &str, text: &[u8]) -> Result<(), KeysError>;
}

impl<S: System> Accounts for Rehearsal<S> {
    fn read_keys(&self, _user: &str, _limit: usize) -> Result<Vec<u8>, KeysError> {
        // Whoever asks what would happen need not be told who can log in; and homes may hang.
        Ok(Vec::new())
    }

    fn write_keys(&self, _user: &str, _text: &[u8]) -> Result<(), KeysError> {
        Ok(())
    }
}
