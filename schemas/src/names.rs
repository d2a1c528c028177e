//! Names on the wire, and what they are called in Rust.

/// Whether this can name a command, a member or an enum value: lower case, as QAPI wants it.
pub(crate) fn is_wire_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_')
}

/// Whether this can name a struct, an enum, an alternate or a union.
pub(crate) fn is_type_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_uppercase()) && name.chars().all(|c| c.is_ascii_alphanumeric())
}

/// Whether this can name a command: as everything on the wire, or with a vendor's domain before it, by QAPI's rule for
/// downstream extensions: `__com.example_backup-status`.
pub(crate) fn is_command_name(name: &str) -> bool {
    let label = |label: &str| {
        label.starts_with(|first: char| first.is_ascii_lowercase())
            && label.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
    };
    match vendor(name) {
        Some((domain, word)) => domain.contains('.') && domain.split('.').all(label) && is_wire_name(word),
        None => is_wire_name(name),
    }
}

/// The domain of a vendor's command and the vendor's own word: `com.example` and `backup-status`.
fn vendor(name: &str) -> Option<(&str, &str)> {
    name.strip_prefix("__")?.split_once('_')
}

/// A command as the beginning of a Rust type: `guest-file-read` is `GuestFileRead`, and of a vendor's
/// `__com.example_backup-status` it is `BackupStatus`.
pub(crate) fn command_type(name: &str) -> String {
    camel_case(vendor(name).map_or(name, |(_, word)| word))
}

/// `guest-file-read` as a Rust type or variant: `GuestFileRead`.
pub(crate) fn camel_case(name: &str) -> String {
    name.split(['-', '_']).map(capitalized).collect()
}

/// `buf-b64` as a Rust field: `buf_b64`. A keyword becomes a raw identifier, which serde writes without the `r#`.
pub(crate) fn field(name: &str) -> String {
    let name = name.replace('-', "_");
    if KEYWORDS.contains(&name.as_str()) { format!("r#{name}") } else { name }
}

fn capitalized(word: &str) -> String {
    let mut characters = word.chars();
    characters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(characters).collect()
}

/// Keywords of edition 2024 that can be raw identifiers. `crate`, `self` and `super` cannot; rustc says so.
const KEYWORDS: [&str; 47] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "do", "dyn", "else", "enum",
    "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro", "match", "mod", "move",
    "mut", "override", "priv", "pub", "ref", "return", "static", "struct", "trait", "true", "try", "type", "typeof",
    "unsafe", "unsized", "use", "virtual", "where", "while",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_qapi() {
        assert!(is_wire_name("guest-file-read") && is_wire_name("supported_commands") && is_wire_name("load1m"));
        assert!(!is_wire_name("Guest") && !is_wire_name("1st") && !is_wire_name("") && !is_wire_name("a b"));
        assert!(is_type_name("QGASeek") && !is_type_name("guestFile") && !is_type_name("Guest-File"));
    }

    #[test]
    fn a_vendors_command_begins_with_its_domain() {
        assert!(is_command_name("guest-ping") && is_command_name("__com.example_backup-status"));
        for name in ["__com_x", "_com.example_x", "__com.example_", "__com.example_X", "__com..example_x", "__.com_x"] {
            assert!(!is_command_name(name), "{name}");
        }
        assert_eq!(command_type("__com.example_backup-status"), "BackupStatus");
        assert_eq!(command_type("guest-file-read"), "GuestFileRead");
    }

    #[test]
    fn rust_names() {
        assert_eq!(camel_case("guest-file-read"), "GuestFileRead");
        assert_eq!(camel_case("operation_not-supported"), "OperationNotSupported");
        assert_eq!(field("buf-b64"), "buf_b64");
        assert_eq!(field("type"), "r#type");
        assert_eq!(field("use"), "r#use");
    }
}
