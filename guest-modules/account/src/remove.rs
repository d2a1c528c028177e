//! `guest-ssh-remove-authorized-keys`: no longer lets those in who hold certain keys.

use crate::bindings::bulkhead::agent::accounts::{self, KeysError};
use crate::error::{not_read, not_written};
use crate::keys;
use crate::schema::GuestSshRemoveAuthorizedKeysArguments;
use bulkhead_module::{CommandError, Empty, ErrorCode};

/// Removes keys. Where there is no file there are none, and that is what was wanted.
pub fn remove(arguments: GuestSshRemoveAuthorizedKeysArguments) -> Result<Empty, CommandError> {
    let user = &arguments.username;
    keys::check(&arguments.keys)?;
    let text = match accounts::read_keys(user) {
        Ok(text) => text,
        Err(KeysError::NoFile((_, ErrorCode::NoEntry | ErrorCode::NotDirectory))) => return Ok(Empty {}),
        Err(error) => return Err(not_read(user, error)),
    };
    accounts::write_keys(user, &keys::without(&text, &arguments.keys)).map_err(|error| not_written(user, error))?;
    Ok(Empty {})
}
