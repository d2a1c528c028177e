//! Pretended users with keys.

use super::Fake;
use crate::KeysError;
use nix::errno::Errno;

/// What the pretended system knows of users.
#[derive(Debug, Default)]
pub(super) struct Accounts {
    users: Vec<User>,
}

#[derive(Debug)]
struct User {
    name: String,
    /// Without a text there is no file.
    keys: Result<Option<Vec<u8>>, KeysError>,
}

impl Fake {
    /// Adds a user with this text in the file of keys; without one there is no file yet. An error is what every attempt
    /// to read or write it answers.
    pub fn add_user(&self, name: impl Into<String>, keys: Result<Option<Vec<u8>>, KeysError>) {
        self.0.borrow_mut().accounts.users.push(User { name: name.into(), keys });
    }

    /// What is in the user's file of keys now.
    pub fn keys(&self, user: &str) -> Option<Vec<u8>> {
        let state = self.0.borrow();
        let found = state.accounts.users.iter().find(|known| known.name == user)?;
        found.keys.clone().ok().flatten()
    }
}

impl crate::Accounts for Fake {
    fn read_keys(&self, user: &str, limit: usize) -> Result<Vec<u8>, KeysError> {
        let state = &self.0.borrow();
        let found = state.accounts.users.iter().find(|known| known.name == user).ok_or(KeysError::NoUser)?;
        let no_file = |errno| KeysError::NoFile(path(user), errno);
        match found.keys.clone()? {
            Some(keys) if keys.len() > limit => Err(no_file(Errno::EFBIG)),
            Some(keys) => Ok(keys),
            None => Err(no_file(Errno::ENOENT)),
        }
    }

    fn write_keys(&self, user: &str, text: &[u8]) -> Result<(), KeysError> {
        let state = &mut *self.0.borrow_mut();
        let found = state.accounts.users.iter_mut().find(|known| known.name == user).ok_or(KeysError::NoUser)?;
        *found.keys.as_mut().map_err(|error| error.clone())? = Some(text.to_vec());
        state.note("write keys of", user.as_bytes());
        Ok(())
    }
}

fn path(user: &str) -> Vec<u8> {
    format!("/home/{user}/.ssh/authorized_keys").into_bytes()
}
