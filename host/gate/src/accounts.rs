//! `accounts`: passwords by one program, and the keys of ssh.

use crate::{Gate, GateError, KeysError, ProgramError};
use bulkhead_catalog::Capability;
use bulkhead_policy::Ask;
use bulkhead_sys::Thing;
use std::time::Duration;
use thiserror::Error;

/// The program that sets passwords, searched in the agent's PATH: systems differ in where they keep it.
pub const CHPASSWD: &str = "chpasswd";

/// How long it may take. It hashes the password, writes a few small files, and may ask modules (PAM) that wait for a
/// server; a lock on these files it waits for some fifteen seconds.
const TIME_LIMIT: Duration = Duration::from_secs(60);

/// How long a user's name may be, in bytes: what login programs of Linux take (LOGIN_NAME_MAX). The names of directory
/// services are the longest there are, at some fifty.
const USER_LIMIT: usize = 256;

/// How long a password may be, in bytes, or its hash. What is longer than a line that `chpasswd` reads (8 KiB) it would
/// take for several; people's are far shorter, and PAM takes no more than 512.
const PASSWORD_LIMIT: usize = 4096;

/// How long a file of keys may be, in bytes. It is in the module's memory as a whole, next to a reply that can be six
/// times as long; there is room for a thousand of the longest keys in use.
const KEYS_LIMIT: usize = 512 * 1024;

/// Why a password was not set.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PasswordError {
    /// The name would be a line or a field of its own.
    #[error("forbidden characters in the user's name")]
    ForbiddenInUser,
    /// So would the password.
    #[error("forbidden characters in the password")]
    ForbiddenInPassword,
    /// One of them is too long.
    #[error("the user's name or the password is too long")]
    TooLong,
    /// The program failed, or there is none.
    #[error(transparent)]
    Program(#[from] ProgramError),
}

impl Gate {
    /// Sets a user's password. What is checked is the line that the program reads, whatever the module checked before.
    pub fn set_password(
        &self,
        module: &str,
        user: &str,
        password: &[u8],
        crypted: bool,
    ) -> Result<(), GateError<PasswordError>> {
        self.require_account(module, user, "password")?;
        check(user.as_bytes(), password)?;
        let path = self.find_named(CHPASSWD);
        let path = path.map_err(ProgramError::NotStarted).map_err(PasswordError::Program)?;
        let arguments: &[&str] = if crypted { &["-e"] } else { &[] };
        let input = [user.as_bytes(), b":", password, b"\n"].concat();
        Ok(self.run_program(&path, arguments, input, TIME_LIMIT).map_err(PasswordError::Program)?)
    }

    /// The text of a user's file of keys.
    pub fn read_keys(&self, module: &str, user: &str) -> Result<Vec<u8>, GateError<KeysError>> {
        self.require_account(module, user, "read-keys")?;
        Ok(self.system.read_keys(user, KEYS_LIMIT)?)
    }

    /// Replaces it. What could not be read again is not written.
    pub fn write_keys(&self, module: &str, user: &str, text: &[u8]) -> Result<(), GateError<KeysError>> {
        self.require_account(module, user, "write-keys")?;
        if text.len() > KEYS_LIMIT {
            return Err(GateError::Failed(KeysError::TooLong));
        }
        Ok(self.system.write_keys(user, text)?)
    }

    fn require_account<E: std::error::Error>(&self, module: &str, user: &str, deed: &str) -> Result<(), GateError<E>> {
        let policy = self.policy();
        let also = self.also(&policy, (module, Capability::Accounts, "users"), Thing::User(user));
        let asks = [("users", Ask::Thing { name: user.as_bytes(), also: &also }), ("may", Ask::Words(&[deed]))];
        self.require(module, Capability::Accounts, &asks)
    }
}

fn check(user: &[u8], password: &[u8]) -> Result<(), PasswordError> {
    if user.iter().any(|byte| matches!(byte, b'\n' | b':' | 0)) {
        return Err(PasswordError::ForbiddenInUser);
    }
    if password.iter().any(|byte| matches!(byte, b'\n' | 0)) {
        return Err(PasswordError::ForbiddenInPassword);
    }
    if user.len() > USER_LIMIT || password.len() > PASSWORD_LIMIT { Err(PasswordError::TooLong) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Errno;
    use crate::testing;
    use bulkhead_sys::Fake;

    fn gate() -> (Fake, Gate) {
        let system = Fake::default();
        system.install("/usr/sbin/chpasswd", Ok(()));
        (system.clone(), testing::full(&system))
    }

    #[test]
    fn a_password_is_one_line_of_the_programs_input() {
        let (system, gate) = gate();
        assert_eq!(gate.set_password("account", "alice", b"a:b\xFF", false), Ok(()));
        assert_eq!(gate.set_password("account", "-R", b"$6$hash", true), Ok(()));
        let said =
            ["run /usr/sbin/chpasswd", "input alice:a:b\u{FFFD}\n", "run /usr/sbin/chpasswd -e", "input -R:$6$hash\n"];
        assert_eq!(system.events(), said);
    }

    #[test]
    fn what_would_be_another_line_reaches_no_program() {
        let (system, gate) = gate();
        let refused = |user: &str, password: &[u8]| match gate.set_password("account", user, password, false) {
            Err(GateError::Failed(error)) => error,
            other => panic!("{other:?}"),
        };
        for user in ["a:b", "a\nroot", "a\0"] {
            assert_eq!(refused(user, b"x"), PasswordError::ForbiddenInUser);
        }
        for password in [b"x\nroot:y".as_slice(), b"x\0y"] {
            assert_eq!(refused("alice", password), PasswordError::ForbiddenInPassword);
        }
        assert_eq!(refused(&"a".repeat(257), b""), PasswordError::TooLong);
        assert_eq!(refused("alice", &[b'x'; 4097]), PasswordError::TooLong);
        assert_eq!(system.events(), [""; 0]);
        assert_eq!(gate.set_password("account", &"a".repeat(256), &[b'x'; 4096], false), Ok(()));
    }

    #[test]
    fn without_the_program_no_password_is_set() {
        let gate = testing::full(&Fake::default());
        let missing = PasswordError::Program(ProgramError::NotStarted(Errno::ENOENT));
        assert_eq!(gate.set_password("account", "alice", b"x", false), Err(GateError::Failed(missing)));
    }

    #[test]
    fn what_is_written_can_be_read() {
        let (system, gate) = gate();
        system.add_user("alice", Ok(None));
        let longest = vec![b'k'; KEYS_LIMIT];
        assert_eq!(gate.write_keys("account", "alice", &longest), Ok(()));
        assert_eq!(gate.read_keys("account", "alice"), Ok(longest));
        let more = [b'k'; KEYS_LIMIT + 1];
        assert_eq!(gate.write_keys("account", "alice", &more), Err(GateError::Failed(KeysError::TooLong)));
        assert_eq!(system.events(), ["write keys of alice"]);
    }

    #[test]
    fn a_stranger_has_no_way_into_an_account() {
        let (system, gate) = gate();
        system.add_user("alice", Ok(Some(b"key".to_vec())));
        assert!(matches!(gate.set_password("file", "alice", b"x", false), Err(GateError::Denied { .. })));
        assert!(matches!(gate.read_keys("file", "alice"), Err(GateError::Denied { .. })));
        assert!(matches!(gate.write_keys("file", "alice", b""), Err(GateError::Denied { .. })));
        assert_eq!(system.events(), [""; 0]);
    }

    #[test]
    fn a_user_who_is_forbidden_is_so_by_every_name() {
        let (system, _) = gate();
        system.add_user("toor", Ok(Some(b"key".to_vec())));
        system.add_user("alice", Ok(Some(b"key".to_vec())));
        system.name_also("root", "toor");
        let rules = "[[permit]]\ncapability = \"accounts\"\nmodules = [\"account\"]\nusers = [\"*\"]\nmay = [\"read-keys\"]\n\
                     reason = \"x\"\n[[forbid]]\ncapability = \"accounts\"\nusers = [\"root\"]\nreason = \"x\"\n";
        let gate = testing::with(&system, rules);
        assert!(matches!(gate.read_keys("account", "toor"), Err(GateError::Denied { .. })));
        assert_eq!(gate.read_keys("account", "alice"), Ok(b"key".to_vec()));
    }

    #[test]
    fn whose_and_what_are_granted_apart() {
        let (system, _) = gate();
        system.add_user("alice", Ok(Some(b"key".to_vec())));
        system.add_user("root", Ok(Some(b"key".to_vec())));
        let rules = "[[permit]]\ncapability = \"accounts\"\nmodules = [\"account\"]\nusers = [\"alice\"]\n\
                     may = [\"password\", \"read-keys\"]\nreason = \"x\"\n";
        let gate = testing::with(&system, rules);
        assert_eq!(gate.set_password("account", "alice", b"x", false), Ok(()));
        assert_eq!(gate.read_keys("account", "alice"), Ok(b"key".to_vec()));
        assert!(matches!(gate.write_keys("account", "alice", b""), Err(GateError::Denied { .. })));
        assert!(matches!(gate.set_password("account", "root", b"x", false), Err(GateError::Denied { .. })));
        assert!(matches!(gate.read_keys("account", "root"), Err(GateError::Denied { .. })));
    }
}
