//! `guest-set-user-password`: one line for `chpasswd`.

use crate::bindings::bulkhead::agent::accounts::{self, PasswordError};
use crate::hash;
use crate::schema::GuestSetUserPasswordArguments;
use bulkhead_module::base64::{Decoder, Invalid};
use bulkhead_module::{CommandError, Empty, ErrorCode, ProgramError};

/// Sets the password. What is wrong is told in the order in which qemu-ga looks: base64, password, name.
pub fn set(arguments: GuestSetUserPasswordArguments) -> Result<Empty, CommandError> {
    let password = decode(&arguments.password)?;
    // A NUL, at which qemu-ga cuts it, would leave the account with another password than the client knows.
    if password.contains(&b'\n') || password.contains(&0) {
        return Err(failed(PasswordError::ForbiddenInPassword));
    }
    if arguments.username.contains(['\n', ':', '\0']) {
        return Err(failed(PasswordError::ForbiddenInUser));
    }
    if arguments.crypted && !hash::is_hash(&password) {
        return Err(CommandError::generic("the crypted password is not a hash in the form of crypt(5)"));
    }
    accounts::set_password(&arguments.username, &password, arguments.crypted).map_err(failed)?;
    Ok(Empty {})
}

fn decode(text: &str) -> Result<Vec<u8>, CommandError> {
    let mut password = Vec::new();
    Decoder::default()
        .decode(text.as_bytes(), &mut password)
        .map_err(|Invalid| CommandError::generic("Base64 data contains invalid characters"))?;
    Ok(password)
}

fn failed(error: PasswordError) -> CommandError {
    match error {
        PasswordError::ForbiddenInUser => CommandError::generic("forbidden characters in username"),
        PasswordError::ForbiddenInPassword => CommandError::generic("forbidden characters in raw password"),
        PasswordError::TooLong => CommandError::generic("username or password is too long"),
        // qemu-ga's words, though it searches for `chpasswd` as well.
        PasswordError::Failed(ProgramError::NotStarted((_, ErrorCode::NoEntry | ErrorCode::Access))) => {
            CommandError::generic("cannot find 'passwd' program in PATH")
        }
        PasswordError::Failed(error) => CommandError::program("set user password", &error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_any_bytes() {
        for (text, password) in [
            ("c8OpIGNyZXQ6eA==", "sé cret:x".as_bytes()),
            ("", b""),
            ("\n", b""),
            ("YQ", b""),
            ("YQ==YQ==", b"aa"),
            ("YQBi", b"a\0b"),
            ("//4=", b"\xFF\xFE"),
        ] {
            assert_eq!(decode(text), Ok(password.to_vec()), "{text:?}");
        }
        for text in ["!!!", "YQ= =", "YQ\0=", "é"] {
            assert_eq!(decode(text).unwrap_err().desc, "Base64 data contains invalid characters", "{text:?}");
        }
    }

    /// Each of these is refused before the host is asked: natively, in this test, there is none.
    #[test]
    fn the_first_fault_is_told_without_asking_the_host() {
        for (username, password, desc) in [
            ("a:b", "!!!", "Base64 data contains invalid characters"),
            ("a:b", "eAo=", "forbidden characters in raw password"),
            ("alice", "YQpiAA==", "forbidden characters in raw password"),
            ("a:b", "eAAK", "forbidden characters in raw password"),
            ("alice", "YQBi", "forbidden characters in raw password"),
            ("alice", "YQA=", "forbidden characters in raw password"),
            ("a:b", "YQ==", "forbidden characters in username"),
            ("a\nb", "eA==", "forbidden characters in username"),
            ("a\0", "eA==", "forbidden characters in username"),
        ] {
            let (username, password) = (username.to_owned(), password.to_owned());
            let refused = set(GuestSetUserPasswordArguments { username, password, crypted: false }).unwrap_err();
            assert_eq!(refused.desc, desc);
        }
    }

    #[test]
    fn the_programs_own_words_are_shown() {
        let exited = ProgramError::Exited((1, "chpasswd: no user\n".to_owned()));
        assert_eq!(
            failed(PasswordError::Failed(exited)).desc,
            "child process has failed to set user password: chpasswd: no user\n"
        );
        let missing = ProgramError::NotStarted(("chpasswd".to_owned(), ErrorCode::NoEntry));
        assert_eq!(failed(PasswordError::Failed(missing)).desc, "cannot find 'passwd' program in PATH");
    }

    /// The host is not asked either.
    #[test]
    fn a_plain_word_is_not_taken_for_a_hash() {
        let (username, password) = ("alice".to_owned(), "c2VjcmV0".to_owned());
        let refused = set(GuestSetUserPasswordArguments { username, password, crypted: true }).unwrap_err();
        assert_eq!(refused.desc, "the crypted password is not a hash in the form of crypt(5)");
    }
}
