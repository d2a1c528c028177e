//! `guest-ssh-add-authorized-keys`: lets those in who hold certain keys.

use crate::bindings::bulkhead::agent::accounts::{self, KeysError};
use crate::error::{not_read, not_written};
use crate::keys;
use crate::schema::GuestSshAddAuthorizedKeysArguments;
use bulkhead_module::{CommandError, Empty, ErrorCode};

/// Adds keys behind those that are there, or puts them in their place.
pub fn add(arguments: GuestSshAddAuthorizedKeysArguments) -> Result<Empty, CommandError> {
    let user = &arguments.username;
    keys::check(&arguments.keys)?;
    let text = if arguments.reset.unwrap_or(false) {
        Vec::new()
    } else {
        match accounts::read_keys(user) {
            Ok(text) => text,
            // There is no file yet. If the home folder is not there either, writing says so.
            Err(KeysError::NoFile((_, ErrorCode::NoEntry | ErrorCode::NotDirectory))) => Vec::new(),
            // Any other error may hide a file with keys, which must not be lost.
            Err(error) => return Err(not_read(user, error)),
        }
    };
    accounts::write_keys(user, &keys::with(&text, &arguments.keys)).map_err(|error| not_written(user, error))?;
    Ok(Empty {})
}
