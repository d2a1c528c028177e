//! What a password's hash looks like, crypt(5).
//!
//! `chpasswd -e` of shadow before 4.20 writes down whatever it is given; a plain word as a hash fits no password, and nobody is
//! told that the account is locked by it. So what is not a hash is refused here. Whether the system knows the method, chpasswd and
//! the C library decide.

/// Methods of which crypt(5) tells how many characters their hashes have, behind the last `$`.
const LENGTHS: &[(&[u8], usize)] = &[
    (b"1", 22),
    (b"2a", 53),
    (b"2b", 53),
    (b"2x", 53),
    (b"2y", 53),
    (b"5", 43),
    (b"6", 86),
    (b"7", 43),
    (b"gy", 43),
    (b"md5", 22),
    (b"sha1", 28),
    (b"y", 43),
];

/// Whether it is one, or says that there is none: `*`, or `!` alone or before a hash, lock the account, and who sends them wants
/// that.
pub fn is_hash(text: &[u8]) -> bool {
    let locked = text.iter().take_while(|byte| **byte == b'!').count();
    match &text[locked..] {
        b"" => locked > 0,
        b"*" => true,
        hash => is_printable(hash) && (has_method(hash) || is_extended_des(hash) || is_des(hash)),
    }
}

/// No hash has white space or one of these; a colon would end the field.
fn is_printable(hash: &[u8]) -> bool {
    hash.iter().all(|byte| byte.is_ascii_graphic() && !b":;*!\\".contains(byte))
}

/// `$method$...$hash`. Of a method that is not known here there is at least something.
fn has_method(text: &[u8]) -> bool {
    let Some(rest) = text.strip_prefix(b"$") else { return false };
    let mut fields = rest.split(|byte| *byte == b'$');
    let (method, hash) = (fields.next().unwrap_or_default(), fields.next_back().unwrap_or_default());
    // bcrypt's salt and hash are one field, sunmd5 names its rounds behind a comma.
    let method = method.split(|byte| *byte == b',').next().unwrap_or_default();
    let known = LENGTHS.iter().find(|(name, _)| *name == method);
    let is_long_enough = known.map_or(!hash.is_empty(), |(_, length)| hash.len() == *length && are_digits(hash));
    !method.is_empty() && method.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-') && is_long_enough
}

/// `_`, four characters of rounds, four of salt, eleven of hash.
fn is_extended_des(text: &[u8]) -> bool {
    text.strip_prefix(b"_").is_some_and(|rest| rest.len() == 19 && are_digits(rest))
}

/// Two characters of salt, eleven of hash. (What bigcrypt made of longer passwords looks like a password itself.)
fn is_des(text: &[u8]) -> bool {
    text.len() == 13 && are_digits(text)
}

fn are_digits(text: &[u8]) -> bool {
    text.iter().all(|byte| byte.is_ascii_alphanumeric() || b"./".contains(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_method_has_its_form() {
        let x = |count: usize| "x".repeat(count);
        for hash in [
            "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$X3DX6M94c7o.9agCG9G317fhZg9SqC.5i5rd.RhAtQ7".to_owned(),
            format!("$gy$j9T$salt${}", x(43)),
            format!("$7$CU..../....saltsaltsalt.${}", x(43)),
            format!("$2b$12${}", x(53)),
            format!("$6$salt${}", x(86)),
            format!("$6$rounds=656000$salt${}", x(86)),
            format!("$5$salt${}", x(43)),
            format!("$sha1$40000$salt${}", x(28)),
            format!("$md5,rounds=5000$salt$${}", x(22)),
            format!("$1$salt${}", x(22)),
            "$3$$8846f7eaee8fb117ad06bdd830b7586c".to_owned(),
            "$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA".to_owned(),
            "_J9..K0AyUubDrfOgO4s".to_owned(),
            "ab01FAX.bQRSU".to_owned(),
        ] {
            assert!(is_hash(hash.as_bytes()), "{hash}");
            assert!(is_hash(format!("!{hash}").as_bytes()), "{hash}, locked");
            assert!(
                !is_hash(format!("{hash} ").as_bytes()) && !is_hash(format!("{hash}:").as_bytes()),
                "{hash}, and more"
            );
        }
        for none in ["*", "!", "!!", "!*"] {
            assert!(is_hash(none.as_bytes()), "{none}");
        }
    }

    #[test]
    fn words_and_halves_are_no_hashes() {
        for word in [
            "",
            "secret",
            "correct horse battery staple",
            "$",
            "$6$",
            "$6$salt$",
            "$6$salt$hash",
            "$6$salt",
            "$y$j9T$salt$short",
            "$2b$12$short",
            "$$x",
            "$6:x$y$z",
            "**",
            "*x",
            "!secret",
            "_short",
            "\u{e9}1FAX.bQRSU",
            "twelve.chars",
            "fourteen.chars",
            "a24characters0long0word0",
        ] {
            assert!(!is_hash(word.as_bytes()), "{word}");
        }
        assert!(!is_hash(format!("$6$salt${}", "x".repeat(85)).as_bytes()), "one is missing");
    }
}
