//! The names that a policy may say though nobody here knows them: those of vendors' modules and commands. A policy speaks of what may
//! be installed, and must not break when a module is removed, so that of these names only the form is looked at.

use crate::error::suggestion;

/// How long a name of a vendor's module or command may be, in bytes. It bounds what stands in logs, file names and lists; DNS names
/// have 253 bytes at the most, and QEMU's longest command 34.
pub const LONGEST: usize = 128;

/// Whether `name` has the form of a vendor's module: a domain name turned round, and a word of the vendor's own, such as
/// `com.example.backup`. At least two labels, joined by dots.
#[must_use]
pub fn is_vendor_module(name: &str) -> bool {
    name.len() <= LONGEST && name.contains('.') && name.split('.').all(is_label)
}

/// Why `name` has not the form of a vendor's module, in the words that follow "it"; nothing if it has.
#[must_use]
pub fn vendor_module_fault(name: &str) -> Option<String> {
    let is_right = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.');
    if is_vendor_module(name) {
        return None;
    }
    if let Some(wrong) = name.chars().find(|it| !u8::try_from(*it).is_ok_and(is_right)) {
        return Some(format!("has {wrong:?} in it, and a name is made of a-z, 0-9, - and dots"));
    }
    if name.len() > LONGEST {
        return Some(format!("is longer than {LONGEST} bytes"));
    }
    match name.split('.').find(|label| !is_label(label)) {
        Some("") => Some("has nothing before or after a dot".to_owned()),
        Some(wrong) if wrong.ends_with('-') => Some(format!("has a - at the end of '{wrong}'")),
        Some(wrong) => Some(format!("has '{wrong}' in it, which does not begin with a letter")),
        None => Some("has no dot".to_owned()),
    }
}

/// Whether `text` is a label: a letter, then `a-z`, `0-9` and `-`, but not at the end.
#[must_use]
pub fn is_label(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_lowercase())
        && !text.ends_with('-')
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// Whether `name` has the form of a vendor's command by QAPI's rule for downstream extensions: two underscores, a domain
/// name turned round, an underscore and the command, such as `__com.example_backup-status`.
#[must_use]
pub fn is_vendor_command(name: &str) -> bool {
    let Some((domain, word)) = name.strip_prefix("__").and_then(|rest| rest.split_once('_')) else { return false };
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    name.len() <= LONGEST
        && is_vendor_module(domain)
        && word.starts_with(|first: char| first.is_ascii_lowercase())
        && word.bytes().all(letter)
}

/// Whether the name in a rule stands for `name`: it is the same, or ends in `*` and `name` begins so.
#[must_use]
pub fn covers(rule: &str, name: &str) -> bool {
    rule.strip_suffix('*').map_or(rule == name, |begin| name.starts_with(begin))
}

/// What is wrong with the name of a module in a rule, if something is.
pub(crate) fn module_fault(name: &str, known: &[&str]) -> Option<String> {
    if known.contains(&name) || is_vendor_module(name) {
        return None;
    }
    let meant = suggestion(name, known.iter().copied());
    let form = if name.contains('.') { ", and a vendor's is named like com.example.backup" } else { "" };
    Some(format!("there is no module '{name}'{form}{meant}"))
}

/// The same where a name may end in `*`. What stands before it must begin the name of some module; of a vendor's at least
/// the first label, or any word with a star would do.
pub(crate) fn modules_fault(name: &str, known: &[&str]) -> Option<String> {
    let vendors = name.strip_suffix('*').is_some_and(|begin| is_vendor_module(&format!("{begin}x")));
    let is_known = known.iter().any(|module| covers(name, module));
    if is_known || vendors { None } else { module_fault(name, known) }
}

/// What is wrong with the name of a command in a rule, if something is. It may end in `*`.
#[must_use]
pub fn command_fault(name: &str, known: &[&str]) -> Option<String> {
    // What may still come after the beginning: the rest of a word, or all of a name.
    let begins = |begin: &str| ["x", "x.x_x"].iter().any(|rest| is_vendor_command(&format!("{begin}{rest}")));
    let vendors = name.strip_suffix('*').map_or_else(|| is_vendor_command(name), begins);
    if vendors || known.iter().any(|command| covers(name, command)) {
        return None;
    }
    let meant = suggestion(name, known.iter().copied());
    let form = if name.starts_with("__") { ", and a vendor's is named like __com.example_word" } else { "" };
    Some(format!("there is no command '{name}'{form}{meant}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_a_vendors_name_is_told() {
        let long = format!("a.{}", "b".repeat(LONGEST));
        for (name, words) in [
            ("com.example.hello_world", "has '_' in it, and a name is made of"),
            ("Com.example", "has 'C' in it"),
            ("com.\u{e9}", "has '\u{e9}' in it"),
            ("com", "has no dot"),
            ("", "has nothing before or after a dot"),
            ("com..a", "has nothing before or after a dot"),
            ("com.1a", "has '1a' in it, which does not begin with a letter"),
            ("com.a-", "has a - at the end of 'a-'"),
            (&long, "is longer than 128 bytes"),
        ] {
            let said = vendor_module_fault(name).unwrap();
            assert!(said.starts_with(words), "{name}: {said}");
        }
        assert_eq!(vendor_module_fault("com.example.hello-world"), None);
    }

    #[test]
    fn a_vendors_names_need_not_be_known() {
        for name in ["com.example.backup", "org.bulkhead", "a1.b-2"] {
            assert_eq!(module_fault(name, &["file"]), None, "{name}");
            assert_eq!(command_fault(&format!("__{name}_word-of_Its-own"), &["guest-ping"]), None, "{name}");
        }
        let long = format!("a.{}", "b".repeat(LONGEST));
        for name in ["com", "com.", ".com", "com..a", "Com.example", "com.1a", "com.a-", "com.a/b", "com.exa*", &long] {
            assert!(module_fault(name, &["file"]).is_some(), "{name}");
            assert!(command_fault(&format!("__{name}_x"), &["guest-ping"]).is_some(), "{name}");
        }
        for name in ["__com.example", "__com.example_", "__com.example_X", "_com.example_x", "com.example_x"] {
            assert!(command_fault(name, &["guest-ping"]).is_some(), "{name}");
        }
    }

    #[test]
    fn a_star_stands_for_the_rest_of_a_name() {
        assert!(covers("guest-get-*", "guest-get-time") && covers("*", "guest-ping"));
        assert!(!covers("guest-get", "guest-get-time") && !covers("guest-get-*", "guest-exec"));
    }

    #[test]
    fn what_stands_before_a_star_begins_some_name() {
        for name in ["*", "fi*", "com.*", "com.example.*", "com.example.back*"] {
            assert_eq!(modules_fault(name, &["file"]), None, "{name}");
        }
        for name in ["fo*", "com*", "Com.*", "com..*", "com.*.x", "**"] {
            assert!(modules_fault(name, &["file"]).is_some(), "{name}");
        }
        for name in ["*", "guest-*", "__*", "__com*", "__com.*", "__com.example*", "__com.example_*", "__a.b_c*"] {
            assert_eq!(command_fault(name, &["guest-ping"]), None, "{name}");
        }
        for name in ["gast-*", "__Com*", "__com..*", "__com_*", "___*", "__a.b_C*", "**"] {
            assert!(command_fault(name, &["guest-ping"]).is_some(), "{name}");
        }
    }
}
