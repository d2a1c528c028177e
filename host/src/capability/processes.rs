//! `processes`: programs that run on their own.

use super::interface::processes::{Captured, Ending, Host, Output, Program, Progress, Stream, UnknownHandle};
use super::interface::types::ErrorCode;
use super::{Compartment, errno};
use bulkhead_border::{PIECE, Processes, processes};

impl Host for Compartment {
    fn add_input(&mut self, data: Vec<u8>) -> wasmtime::Result<Result<(), ErrorCode>> {
        self.called(data.len())?;
        Ok(self.broker().add_input(data).map_err(errno::word))
    }

    fn start(&mut self, program: Program) -> wasmtime::Result<Result<i64, ErrorCode>> {
        let words = program.arguments.iter().chain(program.environment.iter().flatten());
        self.called(program.path.len() + words.map(Vec::len).sum::<usize>())?;
        Ok(self.broker().start(plain(program)).map_err(errno::code))
    }

    fn status(&mut self, handle: i64) -> wasmtime::Result<Result<Progress, UnknownHandle>> {
        self.called(0)?;
        Ok(self.broker().status(handle).map(told).ok_or(UnknownHandle { handle }))
    }

    fn read_output(
        &mut self,
        handle: i64,
        stream: Stream,
        offset: u64,
        length: u32,
    ) -> wasmtime::Result<Result<Vec<u8>, UnknownHandle>> {
        self.called(PIECE.min(length as usize))?;
        let which = match stream {
            Stream::Stdout => processes::Which::Stdout,
            Stream::Stderr => processes::Which::Stderr,
        };
        Ok(self.broker().read_output(handle, which, offset, length).ok_or(UnknownHandle { handle }))
    }

    fn forget(&mut self, handle: i64) -> wasmtime::Result<Result<(), UnknownHandle>> {
        self.called(0)?;
        Ok(if self.broker().forget(handle) { Ok(()) } else { Err(UnknownHandle { handle }) })
    }
}

fn plain(program: Program) -> processes::Program {
    let output = |output| match output {
        Output::Discard => processes::Output::Discard,
        Output::Capture => processes::Output::Capture,
        Output::Merge => processes::Output::Merge,
    };
    processes::Program {
        path: program.path,
        arguments: program.arguments,
        environment: program.environment,
        input: program.input,
        stdout: output(program.stdout),
        stderr: output(program.stderr),
    }
}

fn told(progress: processes::Progress) -> Progress {
    let captured = |it: processes::Captured| Captured { length: it.length as u64, truncated: it.truncated };
    Progress {
        ended: progress.ending.map(|ending| match ending {
            processes::Ending::Exited(status) => Ending::Exited(status),
            processes::Ending::Killed(signal) => Ending::Killed(signal),
        }),
        stdout: captured(progress.stdout),
        stderr: captured(progress.stderr),
    }
}
