//! `accounts`: passwords by one program, and the keys of ssh.

use crate::programs::called;
use crate::{Asked, Gate, KeysError, PasswordError, ProgramError, Refusal};
use bulkhead_border::Accounts;
use bulkhead_catalog::Capability;
use bulkhead_policy::Ask;
use bulkhead_sys::Thing;
use std::time::Duration;

/// The program that sets passwords, searched in the agent's PATH: systems differ in where they keep it.
const CHPASSWD: &str = "chpasswd";

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

impl Accounts for Asked<'_> {
    /// What is checked is the line that the program reads, whatever the module checked before.
    fn set_password(&mut self, user: String, password: Vec<u8>, crypted: bool) -> Result<(), Refusal<PasswordError>> {
        self.require_account(&user, "password")?;
        check(user.as_bytes(), &password)?;
        let line = [user.as_bytes(), b":", &password, b"\n"].concat();
        let changed = self.gate.change_password(line, crypted);
        Ok(changed.map_err(called(CHPASSWD)).map_err(PasswordError::Program)?)
    }

    fn read_keys(&mut self, user: String) -> Result<Vec<u8>, Refusal<KeysError>> {
        self.require_account(&user, "read-keys")?;
        Ok(self.gate.system.read_keys(&user, KEYS_LIMIT)?)
    }

    /// What could not be read again is not written.
    fn write_keys(&mut self, user: String, text: Vec<u8>) -> Result<(), Refusal<KeysError>> {
        self.require_account(&user, "write-keys")?;
        if text.len() > KEYS_LIMIT {
            return Err(Refusal::Failed(KeysError::TooLong));
        }
        Ok(self.gate.system.write_keys(&user, &text)?)
    }
}

impl Asked<'_> {
    fn require_account<E>(&self, user: &str, deed: &str) -> Result<(), Refusal<E>> {
        let policy = self.gate.policy();
        let also = self.gate.also(&policy, (self.module, Capability::Accounts, "users"), Thing::User(user));
        let asks = [("users", Ask::Thing { name: user.as_bytes(), also: &also }), ("may", Ask::Words(&[deed]))];
        self.require(Capability::Accounts, &asks)
    }
}

impl Gate {
    /// Has the program read `line`, a user's name and the password or its hash.
    fn change_password(&self, line: Vec<u8>, crypted: bool) -> Result<(), ProgramError> {
        let path = self.find_named(CHPASSWD).map_err(ProgramError::NotStarted)?;
        self.run_program(&path, if crypted { &["-e"] } else { &[] }, line, TIME_LIMIT)
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
        assert_eq!(gate.asked_by("account").set_password("alice".into(), b"a:b\xFF".into(), false), Ok(()));
        assert_eq!(gate.asked_by("account").set_password("-R".into(), b"$6$hash".into(), true), Ok(()));
        let said =
            ["run /usr/sbin/chpasswd", "input alice:a:b\u{FFFD}\n", "run /usr/sbin/chpasswd -e", "input -R:$6$hash\n"];
        assert_eq!(system.events(), said);
    }

    #[test]
    fn what_would_be_another_line_reaches_no_program() {
        let (system, gate) = gate();
        let set =
            |user: &str, password: &[u8]| gate.asked_by("account").set_password(user.into(), password.into(), false);
        let refused = |user: &str, password: &[u8]| match set(user, password) {
            Err(Refusal::Failed(error)) => error,
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
        assert_eq!(set(&"a".repeat(256), &[b'x'; 4096]), Ok(()));
    }

    #[test]
    fn without_the_program_no_password_is_set() {
        let gate = testing::full(&Fake::default());
        let missing = PasswordError::Program(called("chpasswd")(ProgramError::NotStarted(Errno::ENOENT)));
        assert_eq!(
            gate.asked_by("account").set_password("alice".into(), b"x".into(), false),
            Err(Refusal::Failed(missing))
        );
    }

    #[test]
    fn what_is_written_can_be_read() {
        let (system, gate) = gate();
        let mut account = gate.asked_by("account");
        system.add_user("alice", Ok(None));
        let longest = vec![b'k'; KEYS_LIMIT];
        assert_eq!(account.write_keys("alice".into(), longest.clone()), Ok(()));
        assert_eq!(account.read_keys("alice".into()), Ok(longest));
        let more = [b'k'; KEYS_LIMIT + 1];
        assert_eq!(account.write_keys("alice".into(), more.into()), Err(Refusal::Failed(KeysError::TooLong)));
        assert_eq!(system.events(), ["write keys of alice"]);
    }

    #[test]
    fn a_stranger_has_no_way_into_an_account() {
        let (system, gate) = gate();
        let mut file = gate.asked_by("file");
        system.add_user("alice", Ok(Some(b"key".to_vec())));
        assert_eq!(file.set_password("alice".into(), b"x".into(), false), Err(Refusal::Denied));
        assert_eq!(file.read_keys("alice".into()), Err(Refusal::Denied));
        assert_eq!(file.write_keys("alice".into(), Vec::new()), Err(Refusal::Denied));
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
        assert_eq!(gate.asked_by("account").read_keys("toor".into()), Err(Refusal::Denied));
        assert_eq!(gate.asked_by("account").read_keys("alice".into()), Ok(b"key".to_vec()));
    }

    #[test]
    fn whose_and_what_are_granted_apart() {
        let (system, _) = gate();
        system.add_user("alice", Ok(Some(b"key".to_vec())));
        system.add_user("root", Ok(Some(b"key".to_vec())));
        let rules = "[[permit]]\ncapability = \"accounts\"\nmodules = [\"account\"]\nusers = [\"alice\"]\n\
                     may = [\"password\", \"read-keys\"]\nreason = \"x\"\n";
        let gate = testing::with(&system, rules);
        let mut account = gate.asked_by("account");
        assert_eq!(account.set_password("alice".into(), b"x".into(), false), Ok(()));
        assert_eq!(account.read_keys("alice".into()), Ok(b"key".to_vec()));
        assert_eq!(account.write_keys("alice".into(), Vec::new()), Err(Refusal::Denied));
        assert_eq!(account.set_password("root".into(), b"x".into(), false), Err(Refusal::Denied));
        assert_eq!(account.read_keys("root".into()), Err(Refusal::Denied));
    }
}
