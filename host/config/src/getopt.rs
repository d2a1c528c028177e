//! getopt's manners, which clap does not have.
//!
//! `qemu-ga` reads its command line with `getopt_long(3)`. clap understands the same words with two differences about the
//! argument that is attached to a short option: clap takes the `=` of `-p=x` for a separator, getopt for the first
//! character of the argument; and clap finds an optional argument only behind a `=`, getopt directly behind the letter
//! (`-F/run/hook`). Written as `-p==x` and `-F=/run/hook` they mean to clap what they mean to getopt.
//!
//! A long option may be abbreviated, which is undone here: `--a` is `--allow-rpcs` to `qemu-ga`, and must go on being it
//! however many options of ours begin with the same letter. Ours, the ones without a letter, are written in full.

use std::{
    ffi::{OsStr, OsString},
    os::unix::ffi::{OsStrExt, OsStringExt},
};

use clap::{Arg, Command};

/// The words of a command line, without the program's name, as clap has to get them.
pub(crate) fn for_clap(command: &Command, words: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut words = words.into_iter();
    let mut result = Vec::new();
    while let Some(word) = words.next() {
        let options_end = word == "--";
        let (word, wants_next) = match word.as_bytes() {
            [b'-', b'-', text @ ..] => long_option(command, &word, text),
            [b'-', letters @ ..] => short_options(command, &word, letters),
            _ => (word, false),
        };
        result.push(word);
        if wants_next {
            // Whatever it looks like, this word is an argument: it must not be taken for options on the next turn.
            result.extend(words.next());
        }
        if options_end {
            result.extend(words.by_ref());
        }
    }
    result
}

/// The long options that a name may stand for: the one that has it, else those of `qemu-ga` that begin with it.
pub(crate) fn candidates<'a>(command: &'a Command, name: &[u8]) -> Vec<(&'a str, &'a Arg)> {
    let longs = command.get_arguments().filter_map(|option| Some((option.get_long()?, option)));
    let found: Vec<_> = longs.filter(|(long, _)| long.as_bytes().starts_with(name)).collect();
    match found.iter().find(|(long, _)| long.as_bytes() == name) {
        Some(&exact) => vec![exact],
        None => found.into_iter().filter(|(_, option)| option.get_short().is_some()).collect(),
    }
}

/// A long option by its whole name. What is none, and what may be several, stays for clap to complain of.
fn long_option(command: &Command, word: &OsStr, text: &[u8]) -> (OsString, bool) {
    let (name, argument) = text.split_at(text.iter().position(|byte| *byte == b'=').unwrap_or(text.len()));
    match candidates(command, name)[..] {
        [(long, option)] if !name.is_empty() => {
            let whole = [b"--", long.as_bytes(), argument].concat();
            (OsString::from_vec(whole), argument.is_empty() && wants_argument(option))
        }
        _ => (word.to_owned(), false),
    }
}

/// A word of letters such as `-vDr` or `-vp/x`: only the first option with an argument ends the row of letters.
fn short_options(command: &Command, word: &OsStr, letters: &[u8]) -> (OsString, bool) {
    let option_of = |letter: u8| command.get_arguments().find(|option| option.get_short() == Some(char::from(letter)));
    let with_argument = |letter: &u8| option_of(*letter).is_some_and(takes_argument);
    match letters.iter().position(with_argument) {
        None => (word.to_owned(), false),
        Some(at) if at + 1 == letters.len() => (word.to_owned(), option_of(letters[at]).is_some_and(wants_argument)),
        Some(at) => {
            let (row, argument) = letters.split_at(at + 1);
            (OsString::from_vec([b"-", row, b"=", argument].concat()), false)
        }
    }
}

fn takes_argument(option: &Arg) -> bool {
    option.get_action().takes_values()
}

/// Whether the option takes the next word if nothing is attached to it; one with an optional argument does not.
fn wants_argument(option: &Arg) -> bool {
    takes_argument(option) && !option.is_require_equals_set()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::command;

    fn rewritten(words: &[&str]) -> Vec<String> {
        let words = for_clap(&command(), words.iter().map(OsString::from));
        words.into_iter().map(|word| word.into_string().unwrap()).collect()
    }

    #[test]
    fn attached_arguments_get_a_separator() {
        assert_eq!(
            rewritten(&["-p/x", "-p=x", "-vF/hk", "-Fv", "-vDr"]),
            ["-p=/x", "-p==x", "-vF=/hk", "-F=v", "-vDr"]
        );
    }

    #[test]
    fn what_is_no_row_of_letters_stays() {
        let words = ["-", "extra", "--path=-p/x", "--pat", "-p/x", "-p", "-F/x", "-é", "--unknown", "--", "-p/x"];
        let expected = ["-", "extra", "--path=-p/x", "--path", "-p/x", "-p", "-F/x", "-é", "--unknown", "--", "-p/x"];
        assert_eq!(rewritten(&words), expected);
    }

    #[test]
    fn options_of_ours_take_no_abbreviation_away() {
        assert_eq!(
            rewritten(&["--a=x", "--al", "-p/x", "--pa=p"]),
            ["--allow-rpcs=x", "--allow-rpcs", "-p/x", "--path=p"]
        );
        assert_eq!(
            rewritten(&["--policy", "-p/x", "--audit-file", "-p/x"]),
            ["--policy", "-p/x", "--audit-file", "-p/x"]
        );
        assert_eq!(rewritten(&["--p", "--po=x", "--au", "--audit"]), ["--p", "--po=x", "--au", "--audit"]);
    }

    #[test]
    fn an_optional_argument_never_takes_the_next_word() {
        assert_eq!(rewritten(&["-F", "-p/x", "--fsfreeze-hook", "-p/x"]), ["-F", "-p=/x", "--fsfreeze-hook", "-p=/x"]);
    }

    #[test]
    fn a_missing_argument_and_bytes_that_are_no_text_pass_through() {
        let odd = OsString::from_vec(b"-v\xff".to_vec());
        assert_eq!(for_clap(&command(), [odd.clone(), "-p".into()]), [odd, "-p".into()]);
    }
}
