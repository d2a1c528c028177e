//! A fault of the compiler's own, which a component has brought out, ends in one sentence like any other refusal.
//!
//! What cannot be caught (memory or a stack that has run out, a limit of [`crate::confinement`]) ends this process by a signal, and who
//! started it says what that means (`host/src/installing/compiler.rs`).

use std::any::Any;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Mutex, PoisonError};
use wasmtime::Error;

/// How much of what a fault says is shown, in bytes. It bounds a sentence into which a whole instruction or type was printed; what
/// tells one fault from another is its place and the first words.
const SHOWN: usize = 200;

/// Where the last fault was.
static PLACE: Mutex<String> = Mutex::new(String::new());

/// What `work` gives; its panic is an error.
pub(crate) fn caught<T>(work: impl FnOnce() -> wasmtime::Result<T>) -> wasmtime::Result<T> {
    let before = panic::take_hook();
    panic::set_hook(Box::new(|fault| {
        let place = fault.location().map(|it| format!("{}:{}", short(it.file()), it.line())).unwrap_or_default();
        *PLACE.lock().unwrap_or_else(PoisonError::into_inner) = place;
    }));
    let done = panic::catch_unwind(AssertUnwindSafe(work));
    panic::set_hook(before);
    done.unwrap_or_else(|fault| Err(Error::msg(sentence(fault.as_ref()))))
}

fn sentence(fault: &(dyn Any + Send)) -> String {
    let said = fault.downcast_ref::<&str>().copied().or_else(|| fault.downcast_ref::<String>().map(String::as_str));
    let said = said.unwrap_or("it says nothing");
    let place = PLACE.lock().unwrap_or_else(PoisonError::into_inner);
    let cut = &said[..said.floor_char_boundary(SHOWN)];
    format!("the compiler has a fault that this component brings out, please report it: {cut} ({place})")
}

/// A file's path without the folders that say only where it was built.
fn short(path: &str) -> &str {
    let begin = path.rmatch_indices('/').nth(3).map_or(0, |(at, _)| at + 1);
    &path[begin..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error_of_one_sentence_with_its_place() {
        let said =
            caught(|| -> wasmtime::Result<()> { panic!("no entry {}", "x".repeat(1000)) }).unwrap_err().to_string();
        assert!(
            said.starts_with("the compiler has a fault that this component brings out, please report it: no entry xx")
        );
        assert!(said.contains("compile/src/fault.rs:") && said.len() < 400 && !said.contains('\n'), "{said}");
        assert_eq!(caught(|| Ok(7)).unwrap(), 7);
        assert_eq!(caught(|| -> wasmtime::Result<()> { Err(Error::msg("wrong")) }).unwrap_err().to_string(), "wrong");
    }

    #[test]
    fn a_place_is_told_without_where_it_was_built() {
        assert_eq!(
            short("/home/x/registry/src/index/engine-48.0.8/src/fact/trampoline.rs"),
            "engine-48.0.8/src/fact/trampoline.rs"
        );
        assert_eq!(short("src/main.rs"), "src/main.rs");
    }
}
