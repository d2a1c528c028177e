//! `accounts`: passwords, and the keys of ssh.

use super::interface::accounts::{Host, KeysError, PasswordError};
use super::{Compartment, errno};
use bulkhead_gate::{CHPASSWD, GateError};

impl Host for Compartment {
    fn set_password(
        &mut self,
        user: String,
        password: Vec<u8>,
        crypted: bool,
    ) -> wasmtime::Result<Result<(), PasswordError>> {
        self.called(password.len())?;
        let set = |it: &mut Self| it.state().gate.set_password(it.module, &user, &password, crypted);
        Ok(self.at_length(set)?.map_err(password_error))
    }

    fn read_keys(&mut self, user: String) -> wasmtime::Result<Result<Vec<u8>, KeysError>> {
        self.called(0)?;
        let text = self.state().gate.read_keys(self.module, &user);
        self.brought(text.as_ref().map_or(0, Vec::len));
        Ok(text.map_err(keys_error))
    }

    fn write_keys(&mut self, user: String, text: Vec<u8>) -> wasmtime::Result<Result<(), KeysError>> {
        self.called(text.len())?;
        let outcome = self.state().gate.write_keys(self.module, &user, &text);
        Ok(outcome.map_err(keys_error))
    }
}

fn password_error(error: GateError<bulkhead_gate::PasswordError>) -> PasswordError {
    use bulkhead_gate::PasswordError as Plain;
    let program = match error {
        GateError::Failed(Plain::ForbiddenInUser) => return PasswordError::ForbiddenInUser,
        GateError::Failed(Plain::ForbiddenInPassword) => return PasswordError::ForbiddenInPassword,
        GateError::Failed(Plain::TooLong) => return PasswordError::TooLong,
        GateError::Failed(Plain::Program(error)) => GateError::Failed(error),
        GateError::Denied { module, capability } => GateError::Denied { module, capability },
    };
    PasswordError::Failed(errno::program(program, CHPASSWD))
}

fn keys_error(error: GateError<bulkhead_gate::KeysError>) -> KeysError {
    use bulkhead_gate::KeysError as Plain;
    match error {
        GateError::Failed(Plain::NoUser) => KeysError::NoUser,
        GateError::Failed(Plain::NotLookedUp(errno)) => KeysError::NotLookedUp(errno::word(errno)),
        GateError::Failed(Plain::NotUser(errno)) => KeysError::NotUser(errno::word(errno)),
        GateError::Failed(Plain::NoFolder(path, errno)) => KeysError::NoFolder((path, errno::word(errno))),
        GateError::Failed(Plain::NoFile(path, errno)) => KeysError::NoFile((path, errno::word(errno))),
        GateError::Failed(Plain::TooLong) => KeysError::TooLong,
        GateError::Failed(Plain::TimedOut) => KeysError::TimedOut,
        GateError::Denied { .. } => KeysError::Denied,
    }
}
