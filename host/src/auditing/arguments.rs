//! What an audit and the log show of a client's arguments: what the front has told of them (`shown_arguments`), as far as the schema
//! of the command lets it be seen. What is told as something to be shown and is secret by the schema is only measured, and what
//! the schema does not know is left out: whoever tells it may be broken.

use bulkhead_audit::{Members, quoted};
use bulkhead_border::request::Shown;
use bulkhead_catalog::commands::{Installed, arguments, shown_argument};

/// Bytes of a text that are shown, and elements of a list. They bound what a request can write to the owner's disk, whatever it is
/// told to be; an honest front tells no more.
const SHOWN: usize = 256;
const ELEMENTS: usize = 17;

/// Arguments of one request that are shown. No command has so many.
const ARGUMENTS: usize = 32;

/// Adds what was told of the arguments of `command`.
pub(super) fn add(members: &mut Members, command: &str, installed: Option<&Installed>, told: &[(String, Shown)]) {
    for (name, value) in told.iter().take(ARGUMENTS) {
        match shown_argument(command, installed, |it| it == name) {
            None => {}
            Some((name, true)) => _ = members.json(name, &json(value)),
            Some((name, false)) => _ = members.object(name, |inner| _ = inner.number("redacted", bytes(value))),
        }
    }
}

/// The same for the log, in words: ` (path "/bin/true", 2 arg, capture-output true)`. In the order of
/// the schema; of what is secret the number of elements is told, or the bytes.
pub(crate) fn spoken(command: &str, installed: Option<&Installed>, told: &[(String, Shown)]) -> String {
    let mut words = String::new();
    for (name, is_shown) in arguments(command, installed) {
        let Some((_, value)) = told.iter().find(|(it, _)| it == name) else { continue };
        words += if words.is_empty() { " (" } else { ", " };
        words += &match value {
            Shown::Secret(_, Some(elements)) => format!("{elements} {name}"),
            shown if is_shown => format!("{name} {}", json(shown)),
            secret => format!("{name} of {} bytes", bytes(secret)),
        };
    }
    if !words.is_empty() {
        words.push(')');
    }
    words
}

/// A value as JSON, of ASCII in one line.
fn json(value: &Shown) -> String {
    match value {
        Shown::Text(text) if text.len() <= SHOWN => quoted(text),
        Shown::Text(text) => cut(text, text.len() as u64),
        Shown::Cut(text, bytes) => cut(text, *bytes),
        Shown::Plain(text) if is_plain(text) => text.clone(),
        Shown::Plain(text) => json(&Shown::Text(text.clone())),
        Shown::List(list) => {
            let elements: Vec<String> = list.iter().take(ELEMENTS).map(element).collect();
            format!("[{}]", elements.join(","))
        }
        other => element(other),
    }
}

/// The same of an element of a list. No list that is shown has lists in it.
fn element(value: &Shown) -> String {
    match value {
        Shown::List(list) => format!("{{\"more\":{}}}", list.len()),
        Shown::More(more) => format!("{{\"more\":{more}}}"),
        Shown::Bytes(bytes) => format!("{{\"bytes\":{bytes}}}"),
        Shown::Secret(bytes, _) => format!("{{\"redacted\":{bytes}}}"),
        scalar => json(scalar),
    }
}

/// Whether it is a number or a word of JSON, and no longer than what is shown of any.
fn is_plain(text: &str) -> bool {
    let is_number = text.bytes().any(|byte| byte.is_ascii_digit())
        && text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    text.len() <= SHOWN && (is_number || ["true", "false", "null"].contains(&text))
}

/// How long it is, as far as that was told.
fn bytes(value: &Shown) -> u64 {
    match value {
        Shown::Text(text) | Shown::Plain(text) => text.len() as u64,
        Shown::Cut(_, bytes) | Shown::Bytes(bytes) | Shown::Secret(bytes, _) => *bytes,
        Shown::List(list) => list.len() as u64,
        Shown::More(more) => *more,
    }
}

fn cut(text: &str, bytes: u64) -> String {
    format!("{{\"cut\":{},\"bytes\":{bytes}}}", quoted(&text[..text.floor_char_boundary(SHOWN)]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shown_arguments::shown_arguments;
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

    /// A front that is broken tells anything.
    #[test]
    fn a_lie_shows_no_secret_and_breaks_no_line() {
        let long = "x".repeat(10_000);
        let lies = [
            ("password", Shown::Text("MARK".to_owned())),
            ("username", Shown::Plain("MARK\",\"x\":\"".to_owned())),
            ("username", Shown::Plain(long.clone())),
            ("username", Shown::Cut(long.clone(), 1)),
            ("username", Shown::List(vec![Shown::List(vec![Shown::Text(long)]); 100])),
            ("no-such-argument", Shown::Text("MARK".to_owned())),
        ];
        let told: Vec<_> = lies.into_iter().cycle().take(60).map(|(name, value)| (name.to_owned(), value)).collect();
        let mut members = Members::default();
        add(&mut members, "guest-set-user-password", None, &told);
        let text = format!("{{{}}}", members.as_str());
        let mut checker = ReturnChecker::default();
        checker.feed(text.as_bytes()).and_then(|()| checker.finish()).unwrap();
        assert!(text.starts_with(r#"{"password":{"redacted":4},"username":"MARK\","#), "{text}");
        assert!(!text.contains("no-such") && text.len() < 32 * 1024, "{}", text.len());
        assert_eq!(spoken("guest-set-user-password", None, &told[..1]), " (password of 4 bytes)");
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
