//! `accounts`: passwords, and the keys of ssh.

use super::interface::accounts::{Host, KeysError, PasswordError};
use super::interface::types::ProgramError;
use super::{Compartment, errno};
use bulkhead_border::accounts::{KeysError as Plain, PasswordError as PlainPassword};
use bulkhead_border::{Accounts, Refusal};

impl Host for Compartment {
    fn set_password(
        &mut self,
        user: String,
        password: Vec<u8>,
        crypted: bool,
    ) -> wasmtime::Result<Result<(), PasswordError>> {
        self.called(password.len())?;
        self.at_length(|it| it.broker().set_password(user, password, crypted).map_err(password_error))
    }

    fn read_keys(&mut self, user: String) -> wasmtime::Result<Result<Vec<u8>, KeysError>> {
        self.called(0)?;
        let text = self.broker().read_keys(user);
        self.brought(text.as_ref().map_or(0, Vec::len));
        Ok(text.map_err(keys_error))
    }

    fn write_keys(&mut self, user: String, text: Vec<u8>) -> wasmtime::Result<Result<(), KeysError>> {
        self.called(text.len())?;
        Ok(self.broker().write_keys(user, text).map_err(keys_error))
    }
}

fn password_error(refusal: Refusal<PlainPassword>) -> PasswordError {
    match refusal {
        Refusal::Failed(PlainPassword::ForbiddenInUser) => PasswordError::ForbiddenInUser,
        Refusal::Failed(PlainPassword::ForbiddenInPassword) => PasswordError::ForbiddenInPassword,
        Refusal::Failed(PlainPassword::TooLong) => PasswordError::TooLong,
        Refusal::Failed(PlainPassword::Program(failure)) => {
            PasswordError::Failed(errno::program(Refusal::Failed(failure)))
        }
        Refusal::Denied => PasswordError::Failed(ProgramError::Denied),
    }
}

fn keys_error(refusal: Refusal<Plain>) -> KeysError {
    match refusal {
        Refusal::Failed(Plain::NoUser) => KeysError::NoUser,
        Refusal::Failed(Plain::NotLookedUp(errno)) => KeysError::NotLookedUp(errno::word(errno)),
        Refusal::Failed(Plain::NotUser(errno)) => KeysError::NotUser(errno::word(errno)),
        Refusal::Failed(Plain::NoFolder(path, errno)) => KeysError::NoFolder((path, errno::word(errno))),
        Refusal::Failed(Plain::NoFile(path, errno)) => KeysError::NoFile((path, errno::word(errno))),
        Refusal::Failed(Plain::TooLong) => KeysError::TooLong,
        Refusal::Failed(Plain::TimedOut) => KeysError::TimedOut,
        Refusal::Denied => KeysError::Denied,
    }
}
