//! Rules as text: the form of the file again.

use crate::command::{CommandRule, Mode, When};
use crate::grant::{Ask, Asks, Effect, Grant, Value};
use crate::hotplug::HotplugRule;
use crate::limit::LimitRule;
use crate::module::ModuleRule;
use crate::network::NetworkRule;
use crate::shape::{self, Kind};
use std::fmt::{self, Display, Formatter};
use std::time::Duration;

impl Display for CommandRule {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        writeln!(out, "[[command]]\nnames = {}", list(&self.names))?;
        let mode = match self.mode {
            Mode::Observe => "observe",
            Mode::Enforce => "enforce",
            Mode::Deny => "deny",
        };
        writeln!(out, "mode = \"{mode}\"")?;
        match self.when {
            When::Always => {}
            When::Frozen => writeln!(out, "while = \"frozen\"")?,
            When::Thawed => writeln!(out, "while = \"thawed\"")?,
        }
        if let Some(pace) = self.faster_than {
            writeln!(out, "faster-than = {{ calls = {}, seconds = {} }}", pace.calls, pace.within.as_secs())?;
        }
        self.reason.iter().try_for_each(|reason| writeln!(out, "reason = {}", quoted(reason)))
    }
}

impl Display for Grant {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let effect = match self.effect {
            Effect::Permit => "permit",
            Effect::Forbid => "forbid",
        };
        writeln!(out, "[[{effect}]]\ncapability = \"{}\"", self.shape.capability)?;
        if !self.modules.is_empty() {
            writeln!(out, "modules = {}", list(&self.modules))?;
        }
        for (key, value) in &self.values {
            writeln!(out, "{} = {value}", key.name)?;
        }
        writeln!(out, "reason = {}", quoted(&self.reason))
    }
}

impl Display for LimitRule {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        writeln!(out, "[[limit]]")?;
        if !self.modules.is_empty() {
            writeln!(out, "modules = {}", list(&self.modules))?;
        }
        self.limits.memory.iter().try_for_each(|bytes| writeln!(out, "memory = \"{}\"", size(*bytes)))?;
        self.limits.deadline.iter().try_for_each(|time| writeln!(out, "deadline = \"{}\"", seconds(*time)))?;
        self.limits.handles.iter().try_for_each(|count| writeln!(out, "handles = {count}"))?;
        self.limits.children.iter().try_for_each(|count| writeln!(out, "children = {count}"))?;
        self.limits.buffers.iter().try_for_each(|bytes| writeln!(out, "buffers = \"{}\"", size(*bytes)))?;
        self.reason.iter().try_for_each(|reason| writeln!(out, "reason = {}", quoted(reason)))
    }
}

impl Display for ModuleRule {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        writeln!(out, "[[module]]\nnames = {}", list(&self.names))?;
        self.replace.iter().try_for_each(|replace| writeln!(out, "replace = {replace}"))?;
        self.probation.iter().try_for_each(|calls| writeln!(out, "probation = {calls}"))?;
        if let Some(strikes) = self.strikes {
            let (failures, seconds) = (strikes.failures, strikes.within.as_secs());
            writeln!(out, "strikes = {{ failures = {failures}, seconds = {seconds} }}")?;
        }
        writeln!(out, "reason = {}", quoted(&self.reason))
    }
}

impl Display for NetworkRule {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        writeln!(out, "[network]")?;
        if !self.exclude.is_empty() {
            writeln!(out, "exclude = {}", list(&self.exclude))?;
        }
        self.primary.iter().try_for_each(|names| writeln!(out, "primary = {}", list(names)))?;
        self.reason.iter().try_for_each(|reason| writeln!(out, "reason = {}", quoted(reason)))
    }
}

impl Display for HotplugRule {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        writeln!(out, "[hotplug]\nonline = {}", self.online)?;
        self.reason.iter().try_for_each(|reason| writeln!(out, "reason = {}", quoted(reason)))
    }
}

impl Display for Value {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Value::Texts(texts) | Value::Patterns(texts) => out.write_str(&list(texts)),
            Value::Numbers(numbers) => write!(out, "{numbers:?}"),
            // Numbers say it with a star; a duration would understand neither.
            Value::Any => out.write_str("\"*\""),
            Value::AtMost(most) => write!(out, "\"{}\"", most.map_or("any".to_owned(), seconds)),
            Value::Flag(flag) => write!(out, "{flag}"),
            Value::Size(bytes) => write!(out, "\"{}\"", size(*bytes)),
            Value::Time(time) => write!(out, "\"{}\"", seconds(*time)),
            Value::Rate(rate) => {
                write!(out, "{{ bytes = \"{}\", seconds = {} }}", size(rate.bytes), rate.within.as_secs())
            }
            Value::User(user) => out.write_str(&quoted(user)),
            Value::Templates(templates) => {
                let templates: Vec<_> = templates.iter().map(|template| list(template)).collect();
                write!(out, "[{}]", templates.join(", "))
            }
        }
    }
}

/// The permit to add so that `module` may use `capability` just so and no further: what an owner would write who was
/// asked, without the line `[[permit]]`. Its reason is left for the owner to give.
///
/// A program's arguments may be secrets. Unless `exact`, each of them is `*`.
pub fn permit_for(module: &str, capability: &str, asks: &Asks<'_>, exact: bool) -> String {
    let mut text = format!("capability = \"{capability}\"\nmodules = [\"{module}\"]\n");
    let keys = shape::find(capability).map_or(&[][..], |shape| shape.keys);
    for key in keys {
        let asked = asks.iter().find(|(name, _)| *name == key.name).map(|(_, ask)| *ask);
        let value = match asked {
            Some(Ask::Arguments(arguments)) if !exact => {
                Some(format!("[[{}]]", vec!["\"*\""; arguments.len()].join(", ")))
            }
            // Without the key any name would do.
            Some(Ask::Names([])) if !key.required => Some("[]".to_owned()),
            Some(ask) => value_for(ask),
            // Nothing of the kind was asked for, but a permit must say it.
            None if key.required && key.kind == Kind::Numbers => Some("[]".to_owned()),
            None if key.required && key.kind == Kind::AtMost => Some("\"0s\"".to_owned()),
            None => None,
        };
        if let Some(value) = value {
            text += &format!("{} = {value}\n", key.name);
        }
    }
    text + "reason = \"\"\n"
}

fn value_for(ask: Ask<'_>) -> Option<String> {
    let text = |bytes: &[u8]| quoted(&String::from_utf8_lossy(bytes));
    let joined = |texts: Vec<String>| format!("[{}]", texts.join(", "));
    match ask {
        // The tree of a permit for just this file is the file.
        Ask::Flag(false) | Ask::Names([]) | Ask::File { .. } => None,
        Ask::Flag(true) => Some("true".to_owned()),
        Ask::Words(words) => Some(joined(words.iter().map(|word| quoted(word)).collect())),
        // A client may ask for the name `*`, or for none. Left out, the permit does not cover it, and may not even be read;
        // written down, it would cover everybody.
        Ask::Names(names) => {
            Some(joined(names.iter().filter(|name| !matches!(**name, b"*" | b"")).map(|name| text(name)).collect()))
        }
        Ask::Thing { name: b"*" | b"", .. } => Some(joined(Vec::new())),
        Ask::Thing { name, .. } => Some(joined(vec![text(name)])),
        Ask::Path(path) | Ask::Within { path, .. } => Some(joined(vec![text(path)])),
        Ask::Number(number) => Some(format!("[{number}]")),
        Ask::Amount(amount) => Some(format!("\"{}\"", seconds(whole(amount)))),
        Ask::Arguments(arguments) => {
            // `**` would stand for more than itself; `*` covers it, and one argument.
            let word = |argument: &Vec<u8>| if argument == b"**" { quoted("*") } else { text(argument) };
            Some(format!("[{}]", joined(arguments.iter().map(word).collect())))
        }
    }
}

/// Whole seconds, rounded up, for a permit must cover what was asked for.
fn whole(amount: Duration) -> Duration {
    Duration::from_secs(amount.as_secs() + u64::from(amount.subsec_nanos() > 0))
}

/// In the largest unit that leaves nothing over.
fn size(bytes: u64) -> String {
    let units = [("GiB", 30), ("MiB", 20), ("KiB", 10)];
    match units.iter().find(|(_, shift)| bytes.trailing_zeros() >= *shift) {
        Some((unit, shift)) => format!("{}{unit}", bytes >> shift),
        None => format!("{bytes}B"),
    }
}

fn seconds(duration: Duration) -> String {
    format!("{}s", duration.as_secs())
}

fn list(texts: &[String]) -> String {
    format!("[{}]", texts.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(", "))
}

/// A TOML basic string.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            control if control.is_control() => quoted += &format!("\\u{:04X}", u32::from(control)),
            plain => quoted.push(plain),
        }
    }
    quoted + "\""
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Document, Policy};

    const MODULES: &[&str] = &["file", "exec", "account", "time"];

    fn read(text: &str) -> Policy {
        let document = Document::parse("x", &format!("version = 1\n{text}"), &["guest-exec"], MODULES);
        Policy::merge([document.unwrap_or_else(|error| panic!("{error}\n{text}"))], &["guest-exec"], MODULES).unwrap()
    }

    #[test]
    fn what_is_written_is_what_was_read() {
        let text = "[[command]]\nnames = [\"guest-exec\"]\nmode = \"deny\"\nwhile = \"thawed\"\n\
                    faster-than = { calls = 5, seconds = 60 }\nreason = \"\\\"slow\\\"\\u0009\"\n";
        assert_eq!(read(text).commands[0].to_string(), text);
        for text in [
            "[[permit]]\ncapability = \"files\"\nmodules = [\"file\"]\ntrees = [\"/a\", \"/b\"]\naccess = [\"read\"]\n\
             links = true\nsize = \"3KiB\"\nrate = { bytes = \"1MiB\", seconds = 60 }\nreason = \"x\"\n",
            "[[permit]]\ncapability = \"processes\"\nmodules = [\"exec\"]\nprograms = [\"*\"]\nenvironment = []\nrun-as = \"nobody\"\n\
             time-limit = \"90s\"\noutput-limit = \"1025B\"\nreason = \"x\"\n",
            "[[forbid]]\ncapability = \"processes\"\narguments = [[\"-c\", \"**\"], []]\nreason = \"x\"\n",
            "[[permit]]\ncapability = \"clock-setting\"\nmodules = [\"time\"]\nstep = \"90s\"\nreason = \"x\"\n",
            "[[permit]]\ncapability = \"clock-setting\"\nmodules = [\"time\"]\nstep = \"any\"\nreason = \"x\"\n",
            "[[permit]]\ncapability = \"hotplug\"\nmodules = [\"time\"]\nprocessors = \"*\"\nreason = \"x\"\n",
        ] {
            assert_eq!(read(text).grants[0].to_string(), text);
        }
        let limit = "[[limit]]\nmodules = [\"file\"]\nmemory = \"4MiB\"\ndeadline = \"2s\"\nhandles = 3\nchildren = 0\n\
             buffers = \"1MiB\"\n";
        assert_eq!(read(limit).limits[0].to_string(), limit);
        let module = "[[module]]\nnames = [\"com.example.*\", \"file\"]\nreplace = true\nprobation = 0\n\
                      strikes = { failures = 5, seconds = 60 }\nreason = \"x\"\n";
        assert_eq!(read(module).modules[0].to_string(), module);
    }

    #[test]
    fn the_permit_for_a_use_permits_it() {
        let arguments = [b"-v".to_vec(), b"a \"b\"".to_vec()];
        let uses: [(&str, &str, &Asks<'_>); 5] = [
            ("exec", "processes", &[("programs", Ask::Path(b"/bin/ls")), ("arguments", Ask::Arguments(&arguments))]),
            ("account", "accounts", &[("users", Ask::Names(&[b"alice"])), ("may", Ask::Words(&["password"]))]),
            ("time", "clock-setting", &[("step", Ask::Amount(Duration::from_millis(1500)))]),
            ("time", "clock-setting", &[("hardware", Ask::Flag(true))]),
            ("time", "hotplug", &[("processors", Ask::Number(3))]),
        ];
        for (module, capability, asks) in uses {
            assert!(!read("").judge(module, capability, asks).allowed);
            let text = format!("[[permit]]\n{}", permit_for(module, capability, asks, true));
            assert!(read(&text).judge(module, capability, asks).allowed, "{text}");
        }
        let secret = permit_for("exec", "processes", &[("arguments", Ask::Arguments(&arguments))], false);
        assert!(secret.contains("arguments = [[\"*\", \"*\"]]") && !secret.contains("-v"), "{secret}");
    }

    #[test]
    fn a_client_cannot_talk_the_owner_into_more() {
        let asks: &Asks<'_> = &[("users", Ask::Names(&[b"*"])), ("may", Ask::Words(&["password"]))];
        let text = format!("[[permit]]\n{}", permit_for("account", "accounts", asks, true));
        let document = Document::parse("x", &format!("version = 1\n{text}"), &[], MODULES);
        assert!(document.unwrap_err().to_string().ends_with("'users' is empty: it would mean nothing"));
        let asks: &Asks<'_> = &[
            ("programs", Ask::Path(b"/bin/ls")),
            ("environment", Ask::Names(&[])),
            ("arguments", Ask::Arguments(&[b"**".to_vec()])),
        ];
        let text = format!("[[permit]]\n{}", permit_for("exec", "processes", asks, true));
        let with = |words: &[&str], names: &[&[u8]]| {
            let arguments: Vec<_> = words.iter().map(|word| word.as_bytes().to_vec()).collect();
            let asks = [asks[0], ("environment", Ask::Names(names)), ("arguments", Ask::Arguments(&arguments))];
            read(&text).judge("exec", "processes", &asks).allowed
        };
        assert!(with(&["**"], &[]) && !with(&["a", "b"], &[]) && !with(&["**"], &[b"LD_PRELOAD"]));
    }
}
