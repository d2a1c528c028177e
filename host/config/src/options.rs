//! The options, as clap knows them, and what is wrong with a command line, as we say it.

use std::ffi::OsString;

use clap::{
    Arg, ArgAction, Command,
    error::{ContextKind, ErrorKind},
    value_parser,
};
use thiserror::Error;

use crate::{bounds::form, config::DEFAULT_FSFREEZE_HOOK, getopt, peers::PeersError};

/// The options of `qemu-ga` on Linux, each with a letter, and those that it does not have, without one. Values are looked up
/// under the long names.
pub(crate) fn command() -> Command {
    Command::new("bulkhead-agent")
        .version("-") // clap wants one; the binary prints its own
        .no_binary_name(true)
        .disable_help_flag(true)
        .disable_version_flag(true)
        .args_override_self(true)
        .args([
            text("config", 'c'),
            text("method", 'm'),
            text("path", 'p'),
            text("logfile", 'l'),
            text("pidfile", 'f'),
            text("statedir", 't'),
            text("fsfreeze-hook", 'F')
                .num_args(0..=1)
                .require_equals(true)
                .default_missing_value(DEFAULT_FSFREEZE_HOOK),
            text("block-rpcs", 'b').action(ArgAction::Append),
            text("allow-rpcs", 'a').action(ArgAction::Append),
            flag("verbose", 'v'),
            flag("daemonize", 'd'),
            flag("retry-path", 'r'),
            flag("dump-conf", 'D'),
            text_of_ours("policy"),
            text_of_ours("module-store"),
            text_of_ours("audit-file"),
            text_of_ours("vsock-peers"),
            text_of_ours("audit-size"),
            text_of_ours("audit-rate"),
            text_of_ours("log-size"),
            text_of_ours("log-rate"),
            Arg::new("audit-journal").long("audit-journal").action(ArgAction::SetTrue),
            flag("version", 'V').action(ArgAction::Version),
            flag("help", 'h').action(ArgAction::Help),
            // For Windows services; swallowed here with its argument. There is no long name: `--s` is `--statedir`.
            Arg::new("service").short('s').value_parser(value_parser!(OsString)).allow_hyphen_values(true),
            Arg::new("ignored").num_args(0..).value_parser(value_parser!(OsString)),
        ])
}

fn text(long: &'static str, short: char) -> Arg {
    text_of_ours(long).short(short)
}

fn text_of_ours(long: &'static str) -> Arg {
    // Hyphens: the word after `-p` is its argument even if it looks like an option.
    Arg::new(long).long(long).value_parser(value_parser!(OsString)).allow_hyphen_values(true)
}

fn flag(long: &'static str, short: char) -> Arg {
    Arg::new(long).long(long).short(short).action(ArgAction::SetTrue)
}

/// What is wrong with the words of the command line.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum UsageError {
    /// An option that does not exist.
    #[error("unknown option '{option}'{}", .hint.as_ref().map(|hint| format!(": {hint}")).unwrap_or_default())]
    Unknown {
        /// The option.
        option: String,
        /// What may have been meant.
        hint: Option<String>,
    },
    /// An abbreviation that several long options begin with.
    #[error("option '{option}' may be any of {candidates}: write more of it")]
    Ambiguous {
        /// The abbreviation.
        option: String,
        /// The long options, with commas between them.
        candidates: String,
    },
    /// An option without the argument it must have.
    #[error("option '{option}' needs an argument")]
    MissingArgument {
        /// The option's long name, if it has one.
        option: String,
    },
    /// A long option with an argument it cannot have.
    #[error("option '{option}' takes no argument")]
    UnexpectedArgument {
        /// The option's long name.
        option: String,
    },
    /// An argument that a configuration file could not express.
    #[error("the argument of option '{option}' must be valid UTF-8")]
    NotUtf8 {
        /// The option's long name.
        option: String,
    },
    /// A list with a word that is not the name of a command: what it was to block stays open.
    #[error("option '{option}': {fault}")]
    Name {
        /// The option's long name.
        option: String,
        /// What is wrong, as a sentence.
        fault: String,
    },
    /// Someone who is to be let in and is nobody.
    #[error("option '--vsock-peers': {0}")]
    Peers(#[from] PeersError),
    /// A word that belongs to no option, and so changes nothing.
    #[error("the word '{word}' belongs to no option{}", .hint.map(|hint| format!(": {hint}")).unwrap_or_default())]
    Stray {
        /// The word.
        word: String,
        /// What may have been meant.
        hint: Option<&'static str>,
    },
    /// A limit that is not one.
    #[error("the argument of option '{option}' must be {}, not '{value}'", form(.option))]
    Bound {
        /// The option's long name.
        option: String,
        /// The argument.
        value: String,
    },
    /// Anything else that clap finds, in its words. None is known.
    #[error("{0}")]
    Other(String),
}

impl UsageError {
    pub(crate) fn from_clap(command: &Command, error: &clap::Error) -> Self {
        let named = |kind| error.get(kind).map(ToString::to_string).unwrap_or_default();
        // clap adds what an argument looks like: `--path <path>`.
        let option = named(ContextKind::InvalidArg).split(' ').next().unwrap_or_default().to_owned();
        match error.kind() {
            ErrorKind::UnknownArgument => unknown(command, option, error),
            ErrorKind::InvalidValue => UsageError::MissingArgument { option },
            ErrorKind::TooManyValues => UsageError::UnexpectedArgument { option },
            _ => UsageError::Other(error.to_string().lines().next().unwrap_or_default().to_owned()),
        }
    }
}

fn unknown(command: &Command, option: String, error: &clap::Error) -> UsageError {
    if let Some(name) = option.strip_prefix("--") {
        let candidates = getopt::candidates(command, name.as_bytes());
        if candidates.len() > 1 {
            let names: Vec<_> = candidates.iter().map(|(long, _)| format!("'--{long}'")).collect();
            return UsageError::Ambiguous { option, candidates: names.join(", ") };
        }
    }
    let hint = match option.as_str() {
        "--blacklist" => Some("it was removed in QEMU 9.1, use '--block-rpcs'".to_owned()),
        _ => error.get(ContextKind::SuggestedArg).map(|similar| format!("did you mean '{similar}'?")),
    };
    UsageError::Unknown { option, hint }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(words: &[&str]) -> String {
        let command = command();
        let words = getopt::for_clap(&command, words.iter().map(OsString::from));
        let error = command.clone().try_get_matches_from(words).unwrap_err();
        UsageError::from_clap(&command, &error).to_string()
    }

    #[test]
    fn the_definition_is_sound() {
        command().debug_assert();
    }

    #[test]
    fn each_error_names_the_option_and_what_would_be_right() {
        assert_eq!(said(&["-x"]), "unknown option '-x'");
        assert_eq!(said(&["-vx"]), "unknown option '-x'");
        assert_eq!(said(&["--blokc-rpcs=a"]), "unknown option '--blokc-rpcs': did you mean '--block-rpcs'?");
        assert_eq!(
            said(&["--blacklist", "a"]),
            "unknown option '--blacklist': it was removed in QEMU 9.1, use '--block-rpcs'"
        );
        assert_eq!(said(&["--polic", "/x"]), "unknown option '--polic': did you mean '--policy'?");
        assert_eq!(said(&["--p", "/x"]), "option '--p' may be any of '--path', '--pidfile': write more of it");
        assert_eq!(said(&["-D", "-p"]), "option '--path' needs an argument");
        assert_eq!(said(&["--meth"]), "option '--method' needs an argument");
        assert_eq!(said(&["-s"]), "option '-s' needs an argument");
        assert_eq!(said(&["--retry=1"]), "option '--retry-path' takes no argument");
    }
}
