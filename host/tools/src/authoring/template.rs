//! The files of a new module, each with words between `@` to be filled in.

/// Path and text.
pub(super) const FILES: &[(&str, &str)] = &[
    (".cargo/config.toml", include_str!("../../../dist/template/cargo/config.toml")),
    (".gitignore", include_str!("../../../dist/template/gitignore")),
    ("Cargo.toml", include_str!("../../../dist/template/Cargo.toml")),
    ("Makefile", include_str!("../../../dist/template/Makefile")),
    ("README.md", include_str!("../../../dist/template/README.md")),
    ("build.rs", include_str!("../../../dist/template/build.rs")),
    ("cases.toml", include_str!("../../../dist/template/cases.toml")),
    ("module.toml", include_str!("../../../dist/template/module.toml")),
    ("schema.json", include_str!("../../../dist/template/schema.json")),
    ("src/lib.rs", include_str!("../../../dist/template/src/lib.rs")),
    ("wit/world.wit", include_str!("../../../dist/template/wit/world.wit")),
];

/// What the words stand for.
#[derive(Debug)]
pub(super) struct Words<'a> {
    /// The module's name, such as `com.example.backup`.
    pub(super) name: &'a str,
    /// The command, such as `__com.example_backup-age`.
    pub(super) command: &'a str,
    /// The folder of the SDK.
    pub(super) sdk: &'a str,
}

impl Words<'_> {
    /// The text of a file with the words filled in.
    pub(super) fn fill(&self, text: &str) -> String {
        let label = self.name.rsplit('.').next().unwrap_or(self.name);
        let word = self.command.trim_start_matches('_').split_once('_').map_or(self.command, |(_, word)| word);
        // What an author's SDK folder is called is text in a TOML string.
        let sdk = self.sdk.escape_default().to_string();
        let words = [
            ("@NAME@", self.name),
            ("@COMMAND@", self.command),
            ("@TYPE@", &camel_case(word)),
            ("@CRATE@", label),
            ("@CRATE_FILE@", &label.replace('-', "_")),
            ("@FILE@", label),
            ("@AGENT@", bulkhead_host::VERSION),
            ("@SDK@", &sdk),
        ];
        words.iter().fold(text.to_owned(), |text, (word, meaning)| text.replace(word, meaning))
    }
}

/// `backup-age` as the schema's types are called: `BackupAge`.
fn camel_case(word: &str) -> String {
    let capital = |part: &str| part[..1].to_ascii_uppercase() + &part[1..];
    word.split(['-', '_']).filter(|part| !part.is_empty()).map(capital).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_word_is_left_out() {
        let words = Words { name: "com.example.my-backup", command: "__com.example_backup-age", sdk: "/sdk" };
        for (path, text) in FILES {
            let text = words.fill(text);
            let left = text
                .split('@')
                .any(|part| part.len() > 1 && part.bytes().all(|it| it.is_ascii_uppercase() || it == b'_'));
            assert!(!left, "{path}: {text}");
        }
        assert!(words.fill("@CRATE_FILE@ @TYPE@").ends_with("my_backup BackupAge"));
    }
}
