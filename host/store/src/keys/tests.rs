use super::*;
use bulkhead_test_support::Scratch;
use std::fs;
use std::process::{Command, Stdio};

const KEY: &str = "untrusted comment: minisign public key D39E0C2EB7A79211
RWQRkqe3Lgye03N2vDNc6+ntXthfp88/wUFGUt5x9pttAhh5Sp876Npa
";

const OTHER: &str = "untrusted comment: minisign public key
RWTJuKfh+rqFzSM0PrZS5GmiMTumdji9i9AoiaSnkrv/N2m4KWwxO3kG
";

const FILE: &[u8] = b"a module";

/// Of [`FILE`], as `minisign -S` makes it: of its BLAKE2b.
const SIGNATURE: &str = "untrusted comment: signature from minisign secret key
RUQRkqe3Lgye07wSTdsRGPpBMcZP2D8Qk/5twTNd7MEEDgvMK4FGR8uxEvX2xqQXCCL0jTzhDsL/33gWzRWBeQB5A+sw0gBloQQ=
trusted comment: com.example.backup 1
QTu0CxLfX2KgHhnp+nHhYfgARQniDLfDgY5RtnrQIDPrddKArd5CzH4mA3JduRCQIlrjbu6OzPft7Qn8aszSAw==
";

/// Of [`FILE`], as `minisign -S -l` makes it: of all of it.
const LEGACY: &str = "untrusted comment: signature from minisign secret key
RWQRkqe3Lgye05EPrkSHIqKGVR65BQHI2weuIHWvZ2ZNp93ISjBlvNWtE0+pGfY/VOFuPzIR3TbnWS8YPOBfHS+IF1EhgRvnaQs=
trusted comment: timestamp:1795385540	file:l.wasm
bBJMjMyFAF3hHzs19t2M22qj9DYu5rfssEeWq0SsapPiuJQQSiZLi8f4O65hhnSUWWd8XGEpa0WjWQ79OnXBAA==
";

/// The keys of a folder with these files.
fn keys(files: &[(&str, &str)]) -> (Scratch, Result<Keys, KeyError>) {
    let scratch = Scratch::new("keys");
    files.iter().for_each(|(name, text)| fs::write(scratch.path().join(name), text).unwrap());
    let keys = Keys::read(scratch.path());
    (scratch, keys)
}

fn key(more: &str) -> Result<Key, String> {
    Key::parse(Path::new("/etc/bulkhead/keys.d/vendor.pub"), &format!("{KEY}{more}"))
}

#[test]
fn a_key_knows_what_it_has_signed() {
    let (_scratch, keys) = keys(&[("a.pub", OTHER), ("vendor.pub", KEY)]);
    let keys = keys.unwrap();
    for signature in [SIGNATURE, LEGACY] {
        assert_eq!(keys.signer(FILE, signature).unwrap().name(), "vendor.pub (D39E0C2EB7A79211)");
        let changed = keys.signer(b"a modulf", signature).unwrap_err();
        assert!(matches!(&changed, KeyError::Mismatch(name) if name.starts_with("vendor.pub")), "{changed}");
        let comment = signature.replace("trusted comment: ", "trusted comment: more ");
        assert!(matches!(keys.signer(FILE, &comment), Err(KeyError::Mismatch(_))), "the comment is signed too");
    }
}

#[test]
fn a_line_that_was_added_to_a_key_without_a_line_break_is_found() {
    let one_line = format!("{}modules: com.example.*\n", KEY.trim_end());
    let said = Key::parse(Path::new("vendor.pub"), &one_line).unwrap_err();
    assert_eq!(said, "its second line is the key and 'modules:' in one: 'modules:' needs a line of its own");
    // As the documentation adds them: an empty line is nothing.
    for key in [KEY, KEY.trim_end()] {
        let text = format!("{key}\nmodules: com.example.*\nexpires: 2028-12-31\n");
        assert_eq!(Key::parse(Path::new("vendor.pub"), &text).unwrap().modules, ["com.example.*"]);
    }
}

#[test]
fn no_flipped_bit_of_a_signature_counts() {
    let (_scratch, keys) = keys(&[("vendor.pub", KEY)]);
    let keys = keys.unwrap();
    let line = |number| SIGNATURE.lines().nth(number).unwrap();
    for number in [1, 3] {
        let bytes = base64_simd::STANDARD.decode_to_vec(line(number)).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut bytes = bytes.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let text = SIGNATURE.replace(line(number), &base64_simd::STANDARD.encode_to_string(bytes));
            assert!(keys.signer(FILE, &text).is_err(), "bit {bit} of line {number}");
        }
    }
}

#[test]
fn a_stranger_is_told_from_a_signature_that_is_none() {
    let (scratch, keys) = keys(&[("other.pub", OTHER), (".vendor.pub", KEY), ("vendor.pub~", KEY), ("README", "x")]);
    let keys = keys.unwrap();
    assert_eq!(keys.iter().count(), 1);
    let unknown = keys.signer(FILE, SIGNATURE).unwrap_err();
    assert!(unknown.to_string().contains(&format!("not in {}:", scratch.path().display())), "{unknown}");
    for length in 0..SIGNATURE.len() - 2 {
        let error = keys.signer(FILE, &SIGNATURE[..length]).unwrap_err();
        assert!(matches!(error, KeyError::Signature(_)), "{length}: {error}");
    }
    assert!(matches!(keys.signer(FILE, "\0\u{e9}\n\n\n\n"), Err(KeyError::Signature(_))));
    let none = Keys::read(&scratch.path().join("none")).unwrap();
    assert!(matches!(none.signer(FILE, SIGNATURE), Err(KeyError::Unknown(_))));
}

#[test]
fn a_key_signs_what_its_file_says() {
    let key = key("\n# of the vendor\nmodules: com.example.* file\n").unwrap();
    for module in ["com.example.backup", "com.example.a.b", "file"] {
        key.check(module, u64::MAX).unwrap();
    }
    for module in ["com.example", "com.examples.backup", "files", "org.com.example.x", ""] {
        let error = key.check(module, 0).unwrap_err();
        assert!(matches!(error, KeyError::NotForModule { .. }), "{module}");
    }
    assert!(self::key("").unwrap().check("file", 0).is_err(), "without a line, nothing");
    assert!(self::key("modules:").unwrap().check("file", 0).is_err());
    self::key("modules: *").unwrap().check("file", 0).unwrap();
}

#[test]
fn a_key_counts_until_the_end_of_its_last_day() {
    let key = key("expires: 2028-12-31\nmodules: *\n").unwrap();
    assert_eq!(key.last_day().as_deref(), Some("2028-12-31"));
    let end = 1_861_920_000; // 2029-01-01 00:00:00 UTC
    key.check("file", end - 1).unwrap();
    assert_eq!(
        key.check("file", end).unwrap_err().to_string(),
        "vendor.pub (D39E0C2EB7A79211) has expired on 2028-12-31"
    );
}

#[test]
fn a_file_that_is_no_key_is_told_with_its_line() {
    for (more, why) in [
        ("module: file", "line 3: 'module: file' is neither"),
        ("modules: file\nmodules: core", "line 4: there is such a line already"),
        ("\nexpires: 2028-02-30", "line 4: '2028-02-30' is not a date"),
        ("expires: 2028-12-31\nexpires: 2029-12-31", "line 4: there is such a line already"),
        ("modules: com.example*", "'com.example*' is neither the name of a module nor ends with '.*'"),
        ("modules: File", "'File'"),
        ("modules: a,b", "'a,b'"),
        ("RWQRkqe3Lgye03N2vDNc6+ntXthfp88/wUFGUt5x9pttAhh5Sp876Npa", "line 3: "),
    ] {
        let said = key(more).unwrap_err();
        assert!(said.contains(why), "{more}: {said}");
    }
    assert!(key(&"#\n".repeat(LONGEST)).unwrap_err().contains("longer than"));
    let text: Vec<&str> = KEY.lines().collect();
    for wrong in ["", "x", text[0], text[1], &format!("{}\n{}", text[0], &text[1][1..]), &format!("{}\n", SIGNATURE)] {
        assert!(Key::parse(Path::new("x.pub"), wrong).unwrap_err().contains("minisign -G"), "{wrong}");
    }
    let (_scratch, keys) = keys(&[("a.pub", KEY), ("b.pub", "x")]);
    let error = keys.unwrap_err().to_string();
    assert!(error.contains("b.pub: its first two lines"), "one wrong file and none counts: {error}");
}

#[test]
fn the_same_key_twice_is_refused() {
    let (_scratch, keys) = keys(&[("a.pub", KEY), ("b.pub", &format!("{KEY}modules: *\n"))]);
    let error = keys.unwrap_err().to_string();
    assert!(error.contains("b.pub: ") && error.ends_with("a.pub has the same key: keep one of the two"), "{error}");
}

#[test]
fn a_key_that_others_can_write_is_not_read() {
    use std::os::unix::fs::PermissionsExt;
    let (scratch, _) = keys(&[("vendor.pub", KEY)]);
    let chmod = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    chmod(&scratch.path().join("vendor.pub"), 0o666);
    assert!(matches!(Keys::read(scratch.path()), Err(KeyError::Untrusted(TrustError::Writable { .. }))));
    chmod(&scratch.path().join("vendor.pub"), 0o644);
    chmod(scratch.path(), 0o777);
    assert!(matches!(Keys::read(scratch.path()), Err(KeyError::Untrusted(TrustError::Writable { .. }))));
}

/// Runs minisign in a folder; false if there is no such program.
fn minisign(folder: &Path, arguments: &[&str]) -> bool {
    let mut command = Command::new("minisign");
    command.args(arguments).current_dir(folder).stdin(Stdio::null()).stdout(Stdio::null());
    match command.status() {
        Ok(status) => {
            assert!(status.success(), "minisign {arguments:?}");
            true
        }
        Err(_) => {
            println!("skipped: there is no program minisign");
            false
        }
    }
}

#[test]
fn minisign_and_we_read_the_same_files() {
    let scratch = Scratch::new("minisign");
    let folder = scratch.path();
    if !minisign(folder, &["-G", "-W", "-p", "vendor.pub", "-s", "secret"]) {
        return;
    }
    let path = folder.join("vendor.pub");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("{text}modules: com.example.*\nexpires: 2028-12-31\n")).unwrap();
    let keys = Keys::read(folder).unwrap();
    for (size, options) in
        [(0, &[][..]), (1, &["-t", "a comment: \u{e9}"]), (100_000, &["-l"]), (100_000, &["-c", "x"])]
    {
        let bytes = vec![7; size];
        fs::write(folder.join("m.wasm"), &bytes).unwrap();
        minisign(folder, &[&["-S", "-s", "secret", "-m", "m.wasm"], options].concat());
        let signature = fs::read_to_string(folder.join("m.wasm.minisig")).unwrap();
        let key = keys.signer(&bytes, &signature).unwrap();
        key.check("com.example.backup", 0).unwrap();
        let comment = text.split_whitespace().take_while(|word| !word.starts_with("RW")).last().unwrap();
        let number = |text: &str| u64::from_str_radix(text, 16).unwrap();
        assert_eq!(number(comment), number(&key.number), "it is known to minisign by the same number");
        // Our lines do not disturb minisign.
        minisign(folder, &["-V", "-p", "vendor.pub", "-m", "m.wasm"]);
    }
}
