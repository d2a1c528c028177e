//! `guest-set-vcpus`: processors in and out of use, in the order of the list.

use crate::bindings::bulkhead::agent::{hotplug, system_files};
use crate::schema::{GuestLogicalProcessor, GuestSetVcpusArguments};
use bulkhead_module::{CommandError, ErrorCode, log};

/// Switches one after the other, up to the first that fails, and tells how many were done. `can-offline` is what the
/// client believes; what counts is the kernel's word.
pub fn set(arguments: GuestSetVcpusArguments) -> Result<i64, CommandError> {
    match up_to_the_first_failure(&arguments.vcpus, switch) {
        (done, None) => Ok(done),
        (0, Some(error)) => Err(error),
        (done, Some(error)) => {
            // The client sees that the count is short; it learns the reason when it asks again from there.
            log::warning(&error.desc);
            Ok(done)
        }
    }
}

fn up_to_the_first_failure(
    wanted: &[GuestLogicalProcessor],
    switch: impl Fn(&GuestLogicalProcessor) -> Result<(), CommandError>,
) -> (i64, Option<CommandError>) {
    let mut done = 0;
    for processor in wanted {
        if let Err(error) = switch(processor) {
            return (done, Some(error));
        }
        done += 1;
    }
    (done, None)
}

fn switch(processor: &GuestLogicalProcessor) -> Result<(), CommandError> {
    let (id, wanted) = (processor.logical_id, processor.online);
    let folder = format!("/sys/devices/system/cpu/cpu{id}");
    let state = system_files::read(format!("{folder}/online").as_bytes());
    let there = || system_files::entries(folder.as_bytes()).map(|_| ());
    if is_change(id, wanted, state, there)? {
        hotplug::set_processor(id, wanted).map_err(|code| not_switched(id, code))?;
    }
    Ok(())
}

/// Whether the processor has to be switched. `state` is the text of its file `online`; `there` tells what is wrong with
/// its folder, and is asked only if something is wrong with the file.
fn is_change(
    id: i64,
    wanted: bool,
    state: Result<Vec<u8>, ErrorCode>,
    there: impl Fn() -> Result<(), ErrorCode>,
) -> Result<bool, CommandError> {
    let code = match state {
        Ok(text) => {
            let first = text.first().ok_or_else(|| failed("pread", id, "unexpected EOF"))?;
            return Ok((*first != b'0') != wanted);
        }
        Err(code) => code,
    };
    there().map_err(|code| {
        let text = code.text();
        CommandError::generic(format!("Could not open '/sys/devices/system/cpu/cpu{id}/': {text}"))
    })?;
    match code {
        // It is always in use: nothing to do, or nothing to be done.
        ErrorCode::NoEntry if wanted => Ok(false),
        ErrorCode::NoEntry => Err(CommandError::generic(format!("logical processor #{id} can't be offlined"))),
        code => Err(failed("open", id, &code.text())),
    }
}

/// The call that a client of qemu-ga would see named: a file that cannot be written to does not open.
fn not_switched(id: i64, code: ErrorCode) -> CommandError {
    let call = match code {
        ErrorCode::NoEntry | ErrorCode::Access | ErrorCode::Denied | ErrorCode::ReadOnly => "open",
        _ => "pwrite",
    };
    failed(call, id, &code.text())
}

/// The two slashes are qemu-ga's.
fn failed(call: &str, id: i64, reason: &str) -> CommandError {
    CommandError::generic(format!("{call}(\"/sys/devices/system/cpu/cpu{id}//online\"): {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decide(state: Result<&str, ErrorCode>, wanted: bool, there: Result<(), ErrorCode>) -> Result<bool, String> {
        is_change(7, wanted, state.map(Into::into), || there).map_err(|error| error.desc)
    }

    #[test]
    fn only_what_is_not_yet_so_is_changed() {
        for (state, wanted, change) in
            [("1\n", true, false), ("1\n", false, true), ("0\n", true, true), ("0\n", false, false)]
        {
            assert_eq!(decide(Ok(state), wanted, Ok(())), Ok(change), "{state} {wanted}");
        }
        let error = "pread(\"/sys/devices/system/cpu/cpu7//online\"): unexpected EOF".to_owned();
        assert_eq!(decide(Ok(""), true, Ok(())), Err(error));
    }

    #[test]
    fn one_without_a_switch_is_always_in_use() {
        assert_eq!(decide(Err(ErrorCode::NoEntry), true, Ok(())), Ok(false));
        let error = "logical processor #7 can't be offlined".to_owned();
        assert_eq!(decide(Err(ErrorCode::NoEntry), false, Ok(())), Err(error));
    }

    #[test]
    fn one_that_is_not_there_is_said_to_be_missing() {
        for (code, reason) in [
            (ErrorCode::NoEntry, "No such file or directory"),
            (ErrorCode::NotDirectory, "Not a directory"),
            (ErrorCode::Denied, "Permission denied"),
        ] {
            let error = format!("Could not open '/sys/devices/system/cpu/cpu7/': {reason}");
            assert_eq!(decide(Err(code), true, Err(code)), Err(error.clone()));
            assert_eq!(decide(Err(code), false, Err(code)), Err(error));
        }
    }

    #[test]
    fn a_switch_that_cannot_be_read_or_moved_is_named() {
        let named = |call: &str, reason| format!("{call}(\"/sys/devices/system/cpu/cpu7//online\"): {reason}");
        assert_eq!(decide(Err(ErrorCode::Invalid), true, Ok(())), Err(named("open", "Invalid argument")));
        assert_eq!(not_switched(7, ErrorCode::Busy).desc, named("pwrite", "Device or resource busy"));
        assert_eq!(not_switched(7, ErrorCode::ReadOnly).desc, named("open", "Read-only file system"));
    }

    #[test]
    fn the_first_failure_ends_it() {
        let run = |ids: &[i64]| {
            let processor = |id: &i64| GuestLogicalProcessor { logical_id: *id, online: true, can_offline: None };
            let tried = std::cell::Cell::new(0);
            let (done, error) = up_to_the_first_failure(&ids.iter().map(processor).collect::<Vec<_>>(), |processor| {
                tried.set(tried.get() + 1);
                if processor.logical_id < 0 { Err(CommandError::generic("no")) } else { Ok(()) }
            });
            (tried.get(), done, error.map(|error| error.desc))
        };
        let no = || Some("no".to_owned());
        assert_eq!(run(&[]), (0, 0, None));
        assert_eq!(run(&[1, 2, 2]), (3, 3, None));
        assert_eq!(run(&[-1, 2]), (1, 0, no()));
        assert_eq!(run(&[1, -1, 2]), (2, 1, no()));
    }
}
