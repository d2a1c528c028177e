//! What an owner may read of a client's arguments.
//!
//! Only what `schemas/audit.txt` names as shown, and of that a bounded piece. Of what it calls secret the length is told, and what
//! no schema knows is counted. The members are found by the reader that let the message in ([`bulkhead_protocol::Parts`]): there
//! is no second one that could disagree with it.

use bulkhead_border::request::Shown;
use bulkhead_catalog::commands::{Installed, shown_argument};
use bulkhead_protocol::{Parts, contents, meaning};

/// Bytes of a value that are told; what is longer is cut, and its length told. It bounds what one request costs whoever keeps
/// it. Names and paths of real files are shorter.
const SHOWN: usize = 256;

/// Elements of a list that are told; the rest is counted. It bounds the same, for the one list that is shown: of mount
/// points to be frozen, of which a VM has a handful.
const ELEMENTS: usize = 16;

/// The members of `text`, the arguments of `command`, as far as they may be seen, in their order; and how many no schema knows.
pub fn shown_arguments(command: &str, installed: Option<&Installed>, text: &str) -> (Vec<(String, Shown)>, u64) {
    let (mut shown, mut unknown) = (Vec::new(), 0);
    for part in Parts::of(text) {
        match shown_argument(command, installed, |name| meaning(part.name).eq(name.chars())) {
            None => unknown += 1,
            Some((name, true)) => shown.push((name.to_owned(), value(part.value))),
            Some((name, false)) => shown.push((name.to_owned(), secret(part.value))),
        }
    }
    (shown, unknown)
}

fn secret(text: &str) -> Shown {
    let elements = text.starts_with('[').then(|| Parts::of(text).count() as u64);
    Shown::Secret(text.len() as u64, elements)
}

/// A value as it is shown.
fn value(text: &str) -> Shown {
    if text.starts_with('[') { list(text) } else { scalar(text) }
}

fn list(text: &str) -> Shown {
    let mut parts = Parts::of(text);
    let mut shown: Vec<Shown> = parts.by_ref().take(ELEMENTS).map(|part| scalar(part.value)).collect();
    let more = parts.count() as u64;
    if more > 0 {
        shown.push(Shown::More(more));
    }
    Shown::List(shown)
}

/// A value that is neither object nor list; of those only the length.
fn scalar(text: &str) -> Shown {
    let bytes = text.len() as u64;
    match contents(text) {
        Some(contents) => string(bytes, contents),
        None if text.starts_with(['{', '[']) => Shown::Bytes(bytes),
        // A number or a word, so ASCII.
        None if text.len() > SHOWN => Shown::Cut(text[..SHOWN].to_owned(), bytes),
        None => Shown::Plain(text.to_owned()),
    }
}

fn string(bytes: u64, contents: &str) -> Shown {
    let mut piece = String::new();
    for character in meaning(contents) {
        if piece.len() + character.len_utf8() > SHOWN {
            return Shown::Cut(piece, bytes);
        }
        piece.push(character);
    }
    Shown::Text(piece)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bulkhead_audit::Members;
    use bulkhead_broker::auditing::{shown as add, spoken};
    use bulkhead_catalog::commands::{ARGUMENTS, COMMANDS};
    use bulkhead_protocol::{Framer, Limits, Message, ReturnChecker};

    fn shown(command: &str, arguments: &str) -> (String, u64) {
        let (told, unknown) = shown_arguments(command, None, arguments);
        let mut members = Members::default();
        add(&mut members, command, None, &told);
        let text = format!("{{{}}}", members.as_str());
        let mut checker = ReturnChecker::default();
        checker.feed(text.as_bytes()).and_then(|()| checker.finish()).unwrap();
        (text, unknown)
    }

    fn said(command: &str, arguments: &str) -> String {
        spoken(command, None, &shown_arguments(command, None, arguments).0)
    }

    #[test]
    fn what_may_be_seen_is_seen() {
        let (text, unknown) = shown("guest-file-open", r#"{"path":"/e\u0074c/\u00e9\n","mode":"r","x":1}"#);
        assert_eq!((text.as_str(), unknown), (r#"{"path":"/etc/\u00E9\n","mode":"r"}"#, 1));
        assert_eq!(shown("guest-file-read", r#"{"handle":1000,"count":null}"#).0, r#"{"handle":1000,"count":null}"#);
        assert_eq!(shown("guest-file-seek", r#"{"whence":{"a":[1]}}"#).0, r#"{"whence":{"bytes":9}}"#);
        assert_eq!(shown("guest-set-vcpus", r#"{"vcpus":[{"a":1},2]}"#).0, r#"{"vcpus":[{"bytes":7},2]}"#);
    }

    #[test]
    fn long_values_are_cut() {
        let path = format!(r#"{{"path":"{}"}}"#, "\u{e9}".repeat(200));
        assert_eq!(
            shown("guest-file-open", &path).0,
            format!(r#"{{"path":{{"cut":"{}","bytes":402}}}}"#, r"\u00E9".repeat(128))
        );
        let exact = format!(r#"{{"path":"{}"}}"#, "x".repeat(256));
        assert_eq!(shown("guest-file-open", &exact).0, exact);
        let number = format!(r#"{{"handle":{}}}"#, "1".repeat(300));
        assert!(shown("guest-file-read", &number).0.ends_with(r#"11","bytes":300}}"#));
        let points = format!(r#"{{"mountpoints":[{}"/z"]}}"#, r#""/a","#.repeat(20));
        assert!(shown("guest-fsfreeze-freeze-list", &points).0.ends_with(r#""/a",{"more":5}]}"#));
    }

    /// Whatever a client puts into a secret argument, and whatever it puts where no schema looks, nothing of it is seen.
    #[test]
    fn secrets_are_only_measured() {
        let values =
            [r#""MARK""#, r#"["MARK",["MARK"]]"#, r#"{"MARK":"MARK"}"#, r#""\u004dARK""#, r#"{"path":"MARK"}"#];
        let mut count = 0;
        for argument in ARGUMENTS.iter().filter(|argument| argument.secret) {
            for value in values {
                let text = format!(r#"{{"{}":{value},"MARK":"MARK","Path":"MARK"}}"#, argument.name);
                let (line, unknown) = shown(argument.command, &text);
                assert!(!line.contains("MARK") && unknown == 2, "{text}: {line}");
                assert_eq!(line, format!(r#"{{"{}":{{"redacted":{}}}}}"#, argument.name, value.len()));
                count += 1;
            }
        }
        assert_eq!(count, 7 * values.len(), "password, buf-b64, arg, env, input-data, and keys twice");
    }

    #[test]
    fn the_log_hears_of_arguments_what_the_audit_shows() {
        let arguments = r#"{"path":"/bin/t\u0072ue","arg":["MARK",["MARK"]],"env":[],"input-data":"MARK","x":"MARK"}"#;
        assert_eq!(said("guest-exec", arguments), r#" (path "/bin/true", 2 arg, 0 env, input-data of 6 bytes)"#);
        assert_eq!(said("guest-ping", r#"{"MARK":"MARK"}"#), "");
        let lines = said("guest-file-open", r#"{"path":"a\nb\u001b[2J"}"#);
        assert!(!lines.contains(char::is_control), "{lines}");
    }

    #[test]
    fn a_name_spelt_with_escapes_is_the_same_name() {
        let (line, unknown) = shown("guest-set-user-password", r#"{"p\u0061ssword":"MARK","usern\u0061me":"joe"}"#);
        assert_eq!((line.as_str(), unknown), (r#"{"password":{"redacted":6},"username":"joe"}"#, 0));
    }

    /// Every command, with arguments that are anything: what is shown is one line of JSON, and short.
    #[test]
    fn no_arguments_break_a_line() {
        let long = r#"\u0001\"\\"#.repeat(5000);
        let values =
            ["-0.5e+999", "null", r#""\u2028\u009b""#, "[[[]],{}]", &format!("\"{long}\""), &format!("[\"{long}\"]")];
        for command in COMMANDS {
            for value in values {
                let names: Vec<_> = ARGUMENTS.iter().filter(|argument| argument.command == command.name).collect();
                let members: Vec<_> = names.iter().map(|argument| format!("\"{}\":{value}", argument.name)).collect();
                let sent = format!(r#"{{"execute":"x","arguments":{{{}}}}}"#, members.join(","));
                let mut framer = Framer::new(Limits::default());
                framer.push(sent.as_bytes());
                let Some(Message::Request(request)) = framer.next() else { panic!("{sent}") };
                let (text, unknown) = shown(command.name, request.arguments());
                assert!(text.len() < 8192 && unknown == 0, "{text}");
            }
        }
    }
}
