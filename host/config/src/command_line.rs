//! From the words of the command line to what the agent is to do.

use std::{ffi::OsString, path::Path};

use clap::error::ErrorKind;
use thiserror::Error;

use crate::{
    activation::passed_sockets,
    config::{Config, DEFAULT_CONFIG, MissingPath},
    getopt,
    given::Given,
    help,
    load::{LoadError, load},
    method::UnsupportedMethod,
    names::Known,
    options::{UsageError, command},
};

/// What the command line asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Run the agent.
    Run(Config),
    /// Print [`dump`](crate::dump) on stdout and end, with status 0 and without touching any file of a running agent.
    DumpConfig(Config),
    /// Print this text on stdout and end with status 0.
    Help(String),
    /// Print name and version on stdout and end with status 0.
    Version,
    /// Print the name of every command on stdout, one per line, and end with status 0.
    ListCommands,
}

/// Reads the command line, and the configuration file that it or `QGA_CONF` names.
///
/// `args` begins with the program's name, as [`std::env::args_os`] does; the messages repeat it. `env` looks up an
/// environment variable: `QGA_CONF`, `LISTEN_PID` and `LISTEN_FDS` are asked for. `known` tells which words mean something.
///
/// The configuration file comes first wherever `--config` stands, and the command line goes on top of it: single
/// values are replaced, lists grow. Help, version and the list of commands need no configuration, and are given even
/// if it is broken. Of help, version and a word that is wrong the first one counts.
pub fn parse(
    args: impl IntoIterator<Item = OsString>,
    env: impl Fn(&str) -> Option<OsString>,
    known: &Known<'_>,
) -> Result<Action, CliError> {
    let mut args = args.into_iter();
    let program = args.next().map_or_else(|| "bulkhead-agent".to_owned(), |name| name.to_string_lossy().into_owned());
    let usage = |error| CliError::Usage { program: program.clone(), error };

    let command = command();
    let words = getopt::for_clap(&command, args);
    let given = match command.clone().try_get_matches_from(words) {
        Ok(matches) => Given::new(matches),
        Err(error) => {
            return match error.kind() {
                ErrorKind::DisplayHelp => Ok(Action::Help(help::text(&program))),
                ErrorKind::DisplayVersion => Ok(Action::Version),
                _ => Err(usage(UsageError::from_clap(&command, &error))),
            };
        }
    };
    if given.asks_for_commands() {
        return Ok(Action::ListCommands);
    }

    let mut config = match (given.value("config"), env("QGA_CONF")) {
        (Some(file), _) => load(Path::new(file), true, known)?,
        (None, Some(file)) => load(Path::new(&file), false, known)?,
        (None, None) => load(Path::new(DEFAULT_CONFIG), false, known)?,
    };
    let dumps = given.flag("dump-conf");
    // Scripts that were written for qemu-ga may look at whatever it was told, as there.
    if !dumps || !known.is_drop_in {
        given.check(&mut config, known).map_err(usage)?;
    }
    given.apply(&mut config).map_err(usage)?;
    if passed_sockets(env) == 0 {
        if config.path.is_none() {
            config.method()?;
        }
        config.channel_path()?;
    }
    Ok(if dumps { Action::DumpConfig(config) } else { Action::Run(config) })
}

/// Why the agent cannot do what the command line asks for. The binary prints it, with its sources, on stderr and ends
/// with status 1.
#[derive(Debug, Error)]
pub enum CliError {
    /// The words cannot be understood.
    #[error("{error}; try '{program} --help'")]
    Usage {
        /// The program's name, as it was started.
        program: String,
        /// What is wrong with them; part of this error's text, so not its source.
        error: UsageError,
    },
    /// The configuration file cannot be used.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// There is no such method, and so no default for its path.
    #[error(transparent)]
    Method(#[from] UnsupportedMethod),
    /// The method needs a path.
    #[error(transparent)]
    MissingPath(#[from] MissingPath),
}

#[cfg(test)]
mod tests {
    use std::{os::unix::ffi::OsStringExt, path::PathBuf, process};

    use super::*;
    use crate::load::Warning;
    use bulkhead_test_support::Scratch;

    fn fault(name: &str) -> Option<String> {
        name.starts_with("wrong").then(|| format!("there is no '{name}'"))
    }

    const DROP_IN: Known<'_> = Known { command_fault: &fault, is_drop_in: true };
    const OURS: Known<'_> = Known { command_fault: &fault, is_drop_in: false };

    /// Runs without a configuration file, unless `words` name one.
    fn parsed_as(program: &str, known: &Known<'_>, words: &[&str]) -> Result<Action, CliError> {
        let words = [program].into_iter().chain(words.iter().copied()).map(OsString::from);
        parse(words, |name| (name == "QGA_CONF").then(|| "/no/such/file".into()), known)
    }

    fn parsed(words: &[&str]) -> Result<Action, CliError> {
        parsed_as("qemu-ga", &DROP_IN, words)
    }

    fn refused_as_ours(words: &[&str]) -> String {
        parsed_as("bulkhead-agent", &OURS, words).unwrap_err().to_string()
    }

    fn config(words: &[&str]) -> Config {
        match parsed(words) {
            Ok(Action::Run(config) | Action::DumpConfig(config)) => config,
            other => panic!("{words:?}: {other:?}"),
        }
    }

    #[test]
    fn nothing_given_is_the_default() {
        assert_eq!(parsed(&[]).unwrap(), Action::Run(Config::default()));
        assert_eq!(parsed(&["-D", "extra", "args"]).unwrap(), Action::DumpConfig(Config::default()));
    }

    #[test]
    fn questions_are_answered() {
        assert!(matches!(parsed(&["-h", "-V", "-x"]), Ok(Action::Help(text)) if text.starts_with("Usage: qemu-ga ")));
        assert_eq!(parsed(&["-D", "-V", "-x"]).unwrap(), Action::Version);
        for words in [&["-b", "?"][..], &["--allow-rpcs=help"], &["-D", "-b", "a", "-bhelp"]] {
            assert_eq!(parsed(words).unwrap(), Action::ListCommands, "{words:?}");
        }
        assert_eq!(config(&["-b", "help,me"]).block_rpcs, ["me", "help"]);
    }

    #[test]
    fn getopt_would_read_it_the_same_way() {
        let odd = config(&["-b=a", "-F=/x", "-p", "-x", "-t", "--", "-s", "-V"]);
        assert_eq!(odd.block_rpcs, ["=a"]);
        assert_eq!(odd.fsfreeze_hook, Some("=/x".into()));
        assert_eq!((odd.path.as_deref(), odd.statedir.to_str()), (Some("-x"), Some("--")));

        assert_eq!(config(&["-F", "/hook"]).fsfreeze_hook, Some("/etc/qemu/fsfreeze-hook".into()));
        assert_eq!(config(&["-vF/hook", "-r"]).fsfreeze_hook, Some("/hook".into()));
        assert_eq!(config(&["-F/hook", "--fsfreeze-hook"]).fsfreeze_hook, Some("/etc/qemu/fsfreeze-hook".into()));
        assert_eq!(config(&["--s", "/state"]).statedir, PathBuf::from("/state"));
        assert_eq!(config(&["--a", "x", "--al=y"]).allow_rpcs, ["x", "y"]);
        assert_eq!(config(&["--st=/s", "--pi", "/f"]).pidfile, PathBuf::from("/f"));
        assert!(config(&["-", "extra", "-v"]).verbose);
        assert!(!config(&["--", "-v"]).verbose);
    }

    #[test]
    fn the_configuration_is_read_before_the_options() {
        let scratch = Scratch::new("command-line");
        let file = scratch.file("conf", "[general]\nmethod=unix-listen\npath=/p\ndaemon=1\nblock-rpcs=a,b\n");
        let config = config(&["-D", "-b", "x", "--path=/q", "-c", file.to_str().unwrap()]);
        assert_eq!((config.method_name.as_str(), config.path.as_deref()), ("unix-listen", Some("/q")));
        assert_eq!(config.block_rpcs, ["b", "a", "x"]);
        assert!(config.daemonize);

        let from_env = parse(["qemu-ga".into()], |name| (name == "QGA_CONF").then(|| file.clone().into()), &DROP_IN);
        assert!(matches!(from_env, Ok(Action::Run(config)) if config.block_rpcs == ["b", "a"]));
    }

    #[test]
    fn what_qemu_ga_does_not_have_is_written_in_full() {
        let ours = config(&["--policy", "/p", "--module-store=/m", "--audit-file=/a", "--audit-journal"]);
        assert_eq!(ours.module_store, Some("/m".into()));
        assert_eq!((ours.policy, ours.audit_file, ours.audit_journal), (Some("/p".into()), Some("/a".into()), true));
        let bounds = config(&["--audit-size=1GiB", "--audit-rate", "0", "--log-size=5KiB", "--log-rate=7"]);
        assert_eq!((bounds.audit_size, bounds.audit_rate), (Some(1 << 30), Some(0)));
        assert_eq!((bounds.log_size, bounds.log_rate), (Some(5120), Some(7)));
        let error = parsed(&["--log-size=5MB"]).unwrap_err().to_string();
        assert!(error.starts_with("the argument of option '--log-size' must be a number, or a size"), "{error}");
        for unknown in ["--po=/p", "--polic=/p", "--module=/m", "--au", "--audit=/a", "--audit-j"] {
            let error = parsed(&[unknown]).unwrap_err().to_string();
            assert!(error.starts_with("unknown option '--"), "{unknown}: {error}");
        }
    }

    #[test]
    fn a_file_that_is_named_must_exist() {
        let error = parsed(&["-c", "/no/such/file"]).unwrap_err();
        assert_eq!(error.to_string(), "error loading configuration from path: /no/such/file");
        assert!(parsed(&["-c", "/no/such/file", "-h"]).is_ok());
    }

    #[test]
    fn a_listening_method_needs_a_path_or_a_passed_socket() {
        let error = parsed(&["-D", "-m", "unix-listen"]).unwrap_err();
        assert!(error.to_string().starts_with("must specify a path for this channel"), "{error}");
        let env = |name: &str| match name {
            "LISTEN_PID" => Some(process::id().to_string().into()),
            "LISTEN_FDS" => Some("1".into()),
            _ => Some("/no/such/file".into()),
        };
        let passed = parse(["qemu-ga", "-m", "unix-listen"].map(OsString::from), env, &DROP_IN);
        assert!(matches!(passed, Ok(Action::Run(_))));
    }

    #[test]
    fn a_method_that_does_not_exist_is_named_before_its_path() {
        let error = parsed(&["-m", "vrtio"]).unwrap_err().to_string();
        assert!(error.starts_with("unsupported channel method/type: vrtio; methods are virtio-serial, "), "{error}");
        assert!(parsed(&["-D", "-m", "vrtio", "-p", "/x"]).is_ok(), "as qemu-ga prints it");
    }

    #[test]
    fn a_name_that_means_nothing_is_an_error_on_the_command_line() {
        for words in [&["-b", "a,wrong"][..], &["--block-rpcs= wrong ,a"], &["-a", "a", "-awrong"], &["-vb", "wrong"]] {
            let error = parsed(words).unwrap_err().to_string();
            assert!(error.contains("-rpcs': there is no 'wrong'; try 'qemu-ga --help'"), "{words:?}: {error}");
            assert!(parsed_as("bulkhead-agent", &OURS, words).is_err());
        }
        assert_eq!(config(&["-D", "-b", "a, wrong"]).block_rpcs, ["wrong", "a"], "it is only shown");
        assert_eq!(config(&["-b", "a, b"]).block_rpcs, ["b", "a"]);
        let open = config(&["--allow-rpcs="]);
        assert_eq!((open.allow_rpcs.len(), open.warnings), (0, vec![Warning::EmptyAllowList]));
        assert!(config(&["--block-rpcs="]).warnings.is_empty(), "as it is written where nothing shall be blocked");
    }

    #[test]
    fn a_list_that_was_cut_is_an_error_under_either_name() {
        for words in [&["-b", "a,", "b"][..], &["--block-rpcs=a", "b"], &["b", "-aa"]] {
            let error = parsed(words).unwrap_err().to_string();
            let said = "the word 'b' belongs to no option: the names of a list have commas between them, and no spaces";
            assert!(error.starts_with(said), "{words:?}: {error}");
        }
        assert!(refused_as_ours(&["-v", "-b", "a", "b"]).contains("commas between them"));
    }

    #[test]
    fn a_word_that_belongs_to_no_option_is_nothing_to_a_drop_in_and_an_error_to_bulkhead() {
        let warned = |words| config(words).warnings.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(
            warned(&["status", "-v"]),
            ["the word 'status' belongs to no option and is ignored: the tools are another program, 'bulkhead'"]
        );
        let hook = "the word '/hk' belongs to no option and is ignored: \
                    the argument of -F must be attached, as in -F/path/to/hook";
        assert_eq!(warned(&["-F", "/hk"]), [hook]);
        assert!(warned(&["-v", ""]).is_empty(), "a variable of the service manager's that is empty");
        for (words, said) in [
            (&["statsu"][..], "the word 'statsu' belongs to no option; try 'bulkhead-agent --help'"),
            (&["-"], "the word '-' belongs to no option; "),
            (&["-D", "x"], "the word 'x' belongs to no option; "),
            (&["-v", "status"], "the word 'status' belongs to no option: the tools are another program, 'bulkhead'; "),
        ] {
            let error = refused_as_ours(words);
            assert!(error.starts_with(said), "{words:?}: {error}");
        }
        assert!(matches!(parsed_as("bulkhead-agent", &OURS, &["-v", ""]), Ok(Action::Run(_))));
    }

    #[test]
    fn peers_are_named_as_a_whole() {
        assert_eq!(config(&[]).vsock_peers, None);
        let peers = config(&["--vsock-peers=2", "--vsock-peers", "3,local"]).vsock_peers.unwrap();
        assert_eq!(peers.to_string(), "3,1", "the last option counts: who is not named is not let in");
        let error = parsed(&["--vsock-peers=hsot"]).unwrap_err().to_string();
        assert!(error.starts_with("option '--vsock-peers': 'hsot' is not a vsock peer: "), "{error}");
    }

    #[test]
    fn a_usage_error_says_where_help_is() {
        assert_eq!(parsed(&["-x"]).unwrap_err().to_string(), "unknown option '-x'; try 'qemu-ga --help'");
        for option in ["-p", "-b"] {
            let words = ["qemu-ga".into(), option.into(), OsString::from_vec(b"\xff".to_vec())];
            let error = parse(words, |_| Some("/no/such/file".into()), &DROP_IN).unwrap_err().to_string();
            assert!(error.ends_with("' must be valid UTF-8; try 'qemu-ga --help'"), "{error}");
        }
    }
}
