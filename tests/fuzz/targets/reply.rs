//! Arbitrary bytes from a module, as the return of a command: what the checker lets through must be one JSON value,
//! and every JSON value (in one line of ASCII, nested 1024 deep at most) must get through.
#![no_main]

use bulkhead_protocol::{NotOneValue, ReturnChecker};
use libfuzzer_sys::fuzz_target;
use serde::Deserialize;
use serde_json::Value;

fuzz_target!(|text: &[u8]| {
    let verdict = check(text, text.len());
    assert_eq!(check(text, 1).is_ok(), verdict.is_ok());
    assert_eq!(check(text, 7).is_ok(), verdict.is_ok());

    let one_line = text.iter().all(|&byte| byte.is_ascii() && (byte >= 0x20 || byte == b'\t'));
    assert!(one_line || verdict.is_err());
    match verdict {
        Err(NotOneValue::TooDeep) => assert!(text.iter().filter(|byte| b"{[".contains(byte)).count() > 1024),
        _ => assert_eq!(verdict.is_ok(), one_line && is_json(text), "{verdict:?}"),
    }
});

fn check(text: &[u8], size: usize) -> Result<(), NotOneValue> {
    let mut checker = ReturnChecker::default();
    text.chunks(size.max(1)).try_for_each(|piece| checker.feed(piece))?;
    checker.finish()
}

fn is_json(text: &[u8]) -> bool {
    let mut parser = serde_json::Deserializer::from_slice(text);
    parser.disable_recursion_limit();
    Value::deserialize(&mut parser).is_ok() && parser.end().is_ok()
}
