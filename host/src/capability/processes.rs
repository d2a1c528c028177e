//! `processes`: programs that run on their own.

use super::interface::processes::{Captured, Ending, Host, Output, Program, Progress, Stream, UnknownHandle};
use super::interface::types::ErrorCode;
use super::{Compartment, errno};
use crate::bounds::limits;
use crate::host_state::HostState;
use crate::processes::{self, Which};
use bulkhead_gate::{Errno, GateError, Manner, Spawn};

impl Host for Compartment {
    fn add_input(&mut self, data: Vec<u8>) -> wasmtime::Result<Result<(), ErrorCode>> {
        self.called(data.len())?;
        let wanted = self.input.len() + data.len();
        if wanted > processes::INPUT {
            return Ok(Err(ErrorCode::FileTooLarge));
        }
        let state = self.state();
        let has_room = state.processes.has_room_for_input(&state.gate, self.module, wanted);
        drop(state);
        if !has_room {
            return Ok(Err(ErrorCode::NoMemory));
        }
        self.input.append(&data);
        Ok(Ok(()))
    }

    fn start(&mut self, program: Program) -> wasmtime::Result<Result<i64, ErrorCode>> {
        let words = program.arguments.iter().chain(program.environment.iter().flatten());
        self.called(program.path.len() + words.map(Vec::len).sum::<usize>())?;
        let input = std::mem::take(&mut self.input);
        if matches!(program.stdout, Output::Merge) {
            return Ok(Err(ErrorCode::Invalid));
        }
        let module = self.module;
        let path = cut_for_log(&program.path);
        let mut state = self.state();
        let HostState { gate, processes, .. } = &mut *state;
        let started = processes.start(gate, module, plain(program), input);
        match started {
            Ok(pid) => tracing::debug!("module {module}: process {pid} is {path}"),
            Err(GateError::Failed(Errno::EPERM)) => tracing::warn!(
                "module {module}: {path} is not started: the agent may not, or the user as whom it has to run does not exist"
            ),
            Err(_) => {}
        }
        Ok(started.map(i64::from).map_err(errno::code))
    }

    fn status(&mut self, handle: i64) -> wasmtime::Result<Result<Progress, UnknownHandle>> {
        self.called(0)?;
        let module = self.module;
        let mut state = self.state();
        let HostState { gate, processes, .. } = &mut *state;
        let progress = number(handle).and_then(|pid| processes.status(gate, module, pid).ok());
        Ok(progress.map(told).ok_or(UnknownHandle { handle }))
    }

    fn read_output(
        &mut self,
        handle: i64,
        stream: Stream,
        offset: u64,
        length: u32,
    ) -> wasmtime::Result<Result<Vec<u8>, UnknownHandle>> {
        let wanted = (length as usize).min(limits::PIECE);
        self.called(wanted)?;
        let which = match stream {
            Stream::Stdout => Which::Stdout,
            Stream::Stderr => Which::Stderr,
        };
        let offset = usize::try_from(offset).unwrap_or(usize::MAX);
        let state = self.state();
        let bytes = number(handle).and_then(|pid| state.processes.read(self.module, pid, which, offset, wanted).ok());
        Ok(bytes.ok_or(UnknownHandle { handle }))
    }

    fn forget(&mut self, handle: i64) -> wasmtime::Result<Result<(), UnknownHandle>> {
        self.called(0)?;
        let forgotten = number(handle).and_then(|pid| self.state().processes.forget(self.module, pid).ok());
        Ok(forgotten.ok_or(UnknownHandle { handle }))
    }
}

fn number(handle: i64) -> Option<i32> {
    i32::try_from(handle).ok()
}

fn plain(program: Program) -> Spawn {
    let output = |output| match output {
        Output::Discard => bulkhead_gate::Output::Discard,
        Output::Capture => bulkhead_gate::Output::Capture,
        Output::Merge => bulkhead_gate::Output::Merge,
    };
    let mut arguments = program.arguments;
    // As the client has named it: programs print it, and some behave by it.
    arguments.insert(0, program.path.clone());
    Spawn {
        path: program.path,
        arguments,
        environment: program.environment,
        input: program.input,
        stdout: output(program.stdout),
        stderr: output(program.stderr),
        manner: Manner::default(),
    }
}

fn told(progress: processes::Progress) -> Progress {
    let captured =
        |captured: processes::Captured| Captured { length: captured.length as u64, truncated: captured.truncated };
    Progress {
        ended: progress.ending.map(|ending| match ending {
            bulkhead_gate::Ending::Exited(status) => Ending::Exited(status),
            bulkhead_gate::Ending::Killed(signal) => Ending::Killed(signal),
        }),
        stdout: captured(progress.stdout),
        stderr: captured(progress.stderr),
    }
}

/// A path as it may stand in the log: short, and on one line. Arguments never do: they may hold secrets.
fn cut_for_log(path: &[u8]) -> String {
    path[..path.len().min(256)].escape_ascii().to_string()
}
