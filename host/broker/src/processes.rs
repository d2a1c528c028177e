//! `processes`: programs that run on their own.

use super::calls::Asked;
use super::children;
use bulkhead_border::processes::{Output, Program, Progress, Which};
use bulkhead_border::{Errno, PIECE, Processes, Refusal};
use bulkhead_gate::{Manner, Spawn};

impl Processes for Asked<'_> {
    fn add_input(&mut self, data: Vec<u8>) -> Result<(), Errno> {
        let Some(open) = &mut self.broker.open else { return Err(Errno::EINVAL) };
        let wanted = open.input.len() + data.len();
        if wanted > children::INPUT {
            return Err(Errno::EFBIG);
        }
        if !self.broker.children.has_room_for_input(&self.broker.gate, self.module, wanted) {
            return Err(Errno::ENOMEM);
        }
        open.input.append(&data);
        Ok(())
    }

    fn start(&mut self, program: Program) -> Result<i64, Refusal<Errno>> {
        let input = self.broker.open.as_mut().map(|open| std::mem::take(&mut open.input)).unwrap_or_default();
        if program.stdout == Output::Merge {
            return Err(Refusal::Failed(Errno::EINVAL));
        }
        let (module, path) = (self.module, cut_for_log(&program.path));
        let started = self.broker.children.start(&self.broker.gate, module, spawn(program), input);
        match started {
            Ok(pid) => tracing::debug!("module {module}: process {pid} is {path}"),
            Err(Refusal::Failed(Errno::EPERM)) => tracing::warn!(
                "module {module}: {path} is not started: the agent may not, or the user as whom it has to run does not exist"
            ),
            Err(_) => {}
        }
        started.map(i64::from)
    }

    fn status(&mut self, handle: i64) -> Option<Progress> {
        self.broker.children.status(&self.broker.gate, self.module, number(handle)?).ok()
    }

    fn read_output(&mut self, handle: i64, which: Which, offset: u64, length: u32) -> Option<Vec<u8>> {
        let offset = usize::try_from(offset).unwrap_or(usize::MAX);
        let length = PIECE.min(length as usize);
        self.broker.children.read(self.module, number(handle)?, which, offset, length).ok()
    }

    fn forget(&mut self, handle: i64) -> bool {
        number(handle).is_some_and(|pid| self.broker.children.forget(self.module, pid).is_ok())
    }
}

/// What clients know a program by is its process id.
fn number(handle: i64) -> Option<i32> {
    i32::try_from(handle).ok()
}

fn spawn(program: Program) -> Spawn {
    let mut arguments = program.arguments;
    // As the client has named it: programs print it, and some behave by it.
    arguments.insert(0, program.path.clone());
    Spawn {
        path: program.path,
        arguments,
        environment: program.environment,
        input: program.input,
        stdout: program.stdout,
        stderr: program.stderr,
        manner: Manner::default(),
    }
}

/// A path as it may stand in the log: short, and on one line. Arguments never do: they may hold secrets.
fn cut_for_log(path: &[u8]) -> String {
    path[..path.len().min(256)].escape_ascii().to_string()
}
