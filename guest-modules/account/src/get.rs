//! `guest-ssh-get-authorized-keys`: who can log in as a user.

use crate::bindings::bulkhead::agent::accounts;
use crate::error::not_read;
use crate::keys;
use crate::schema::{GuestAuthorizedKeys, GuestSshGetAuthorizedKeysArguments};
use bulkhead_module::CommandError;

/// Lists the user's keys. Without a file of keys there is an error, as in qemu-ga, and not an empty list.
pub fn get(arguments: GuestSshGetAuthorizedKeysArguments) -> Result<GuestAuthorizedKeys, CommandError> {
    let user = &arguments.username;
    let text = accounts::read_keys(user).map_err(|error| not_read(user, error))?;
    Ok(GuestAuthorizedKeys { keys: keys::listed(&text) })
}
