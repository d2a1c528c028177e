//! `mounts`: reading the mount table, and asking file systems how full they are.

use crate::{Asked, Errno, MountId, Refusal, Usage};
use bulkhead_border::{Mounts, PIECE};
use bulkhead_catalog::Capability;
use std::fs::File;
use std::time::Duration;

/// The longest mount table that is given in one piece, in bytes, to a module that asks for it so. It bounds what a VM with
/// runaway mounts (containers leak them) can make the agent hold; some twenty thousand mounts fit. Read piece by piece it may
/// be of any length.
const WHOLE_TABLE: usize = 4 * 1024 * 1024;

/// How long a file system may take to say how full it is, or who. One on a disk knows at once; one behind a server or a driver
/// that hangs never does, and its owner needs the sizes of the others.
const USAGE_PATIENCE: Duration = Duration::from_secs(2);

/// The mount table, read as far as it was asked for.
#[derive(Debug)]
pub(crate) struct MountTable {
    file: File,
    /// What was read of the next line.
    rest: Vec<u8>,
}

impl MountTable {
    /// The next lines, whole ones; none at the end.
    fn next_lines(&mut self) -> Result<Vec<u8>, Errno> {
        let mut lines = std::mem::take(&mut self.rest);
        loop {
            let end = lines.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
            if end > 0 && lines.len() >= PIECE {
                self.rest = lines.split_off(end);
                return Ok(lines);
            }
            match bulkhead_sys::read_more(&self.file, &mut lines, PIECE) {
                Ok(0) => return Ok(lines),
                Ok(_) | Err(Errno::EINTR) => {}
                Err(errno) => return Err(errno),
            }
        }
    }
}

impl Mounts for Asked<'_> {
    fn mountinfo(&mut self) -> Result<Vec<u8>, Refusal<Errno>> {
        let (mut table, mut text) = (self.mount_table()?, Vec::new());
        loop {
            let lines = table.next_lines()?;
            if lines.is_empty() {
                return Ok(text);
            }
            text.extend(lines);
            if text.len() > WHOLE_TABLE {
                return Err(Refusal::Failed(Errno::EOVERFLOW));
            }
        }
    }

    fn next_mounts(&mut self) -> Result<Vec<u8>, Refusal<Errno>> {
        let begun = self.gate.mounts.take();
        let mut table = begun.map_or_else(|| self.mount_table(), Ok)?;
        let lines = table.next_lines()?;
        // At its end it is closed: who asks on wants it as it is then.
        self.gate.mounts.replace((!lines.is_empty()).then_some(table));
        Ok(lines)
    }

    fn block_device(&mut self, path: Vec<u8>) -> Result<(u32, u32), Refusal<Errno>> {
        self.require_to_look()?;
        Ok(self.gate.system.block_device(&path)?)
    }

    fn usage(&mut self, mount_point: Vec<u8>, is: Option<MountId>) -> Result<Usage, Refusal<Errno>> {
        self.require(Capability::Mounts, &[])?;
        Ok(self.gate.system.usage(&mount_point, is, USAGE_PATIENCE)?)
    }

    fn btrfs_id(&mut self, mount_point: Vec<u8>, is: MountId) -> Result<Vec<u8>, Refusal<Errno>> {
        self.require(Capability::Mounts, &[])?;
        Ok(self.gate.system.btrfs_id(&mount_point, is, USAGE_PATIENCE)?)
    }
}

impl Asked<'_> {
    /// The mount table, to be read from its beginning.
    fn mount_table(&self) -> Result<MountTable, Refusal<Errno>> {
        self.require_to_look()?;
        Ok(MountTable { file: self.gate.system.mount_table()?, rest: Vec::new() })
    }

    /// Asks for what a thaw begins with: while frozen it is granted, whatever the policy says.
    fn require_to_look(&self) -> Result<(), Refusal<Errno>> {
        if self.gate.is_frozen() { Ok(()) } else { self.require(Capability::Mounts, &[]) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Standing, testing};
    use bulkhead_sys::Fake;

    #[test]
    fn who_has_to_thaw_may_look_where() {
        let system = Fake::default();
        system.add_block_device("/dev/sda", (8, 0));
        let gate = testing::with(&system, "");
        let mut filesystem = gate.asked_by("filesystem");
        assert_eq!(filesystem.mountinfo(), Err(Refusal::Denied));
        assert_eq!(filesystem.block_device(b"/dev/sda".into()), Err(Refusal::Denied));
        gate.begin(Standing { frozen: true, ..Standing::default() });
        assert!(filesystem.mountinfo().is_ok());
        assert_eq!(filesystem.block_device(b"/dev/sda".into()), Ok((8, 0)), "a btrfs is known by it");
        gate.end();
        assert!(filesystem.mountinfo().is_err());
    }

    #[test]
    fn a_table_of_any_length_is_given_in_pieces_of_whole_lines() {
        let system = Fake::default();
        let line = |number: usize| format!("{number} 0 0:{number} / /{} rw - tmpfs t rw\n", "x".repeat(number % 700));
        let text: String = (0..20_000).map(line).collect();
        system.set_mountinfo(text.as_str());
        let gate = testing::full(&system);
        let (mut asked, mut all) = (gate.asked_by("filesystem"), Vec::new());
        loop {
            let lines = asked.next_mounts().unwrap();
            if lines.is_empty() {
                break;
            }
            assert!(lines.ends_with(b"\n") && lines.len() < 3 * PIECE, "{}", lines.len());
            all.extend(lines);
        }
        assert!(all == text.as_bytes());
        assert_eq!(
            gate.asked_by("filesystem").mountinfo(),
            Err(Refusal::Failed(Errno::EOVERFLOW)),
            "in one piece it is too long"
        );
    }

    #[test]
    fn a_line_may_be_longer_than_a_piece_and_the_last_one_need_not_end() {
        let system = Fake::default();
        let text = format!("{}\nlast", "x".repeat(3 * PIECE));
        system.set_mountinfo(text.as_str());
        let gate = testing::full(&system);
        let mut asked = gate.asked_by("report");
        assert_eq!(asked.next_mounts().unwrap().len(), 3 * PIECE + 1);
        assert_eq!(asked.next_mounts().unwrap(), b"last");
        assert_eq!(asked.next_mounts().unwrap(), b"");
        assert_eq!(asked.mountinfo().unwrap(), text.into_bytes());
    }

    #[test]
    fn the_table_is_begun_anew_at_its_end_and_by_the_next_request() {
        let system = Fake::default();
        let text = format!("{}\nlast\n", "x".repeat(PIECE - 1));
        system.set_mountinfo(text.as_str());
        let gate = testing::full(&system);
        let next = || gate.asked_by("report").next_mounts().unwrap().len();
        gate.begin(Standing::default());
        assert_eq!([next(), next(), next()], [PIECE, 5, 0]);
        assert_eq!(next(), PIECE, "there was its end");
        assert_eq!(gate.asked_by("report").mountinfo().map(|whole| whole.len()), Ok(text.len()));
        assert_eq!(next(), 5, "who reads it as a whole meanwhile has another");
        next();
        next();
        gate.end();
        assert_eq!(next(), PIECE, "the request was over");
        gate.begin(Standing::default());
        assert_eq!(next(), PIECE, "another began");
    }

    #[test]
    fn a_table_that_may_not_be_read_is_not_begun() {
        let system = Fake::default();
        let gate = testing::with(&system, "");
        assert_eq!(gate.asked_by("filesystem").next_mounts(), Err(Refusal::Denied));
        gate.begin(Standing { frozen: true, ..Standing::default() });
        assert!(gate.asked_by("filesystem").next_mounts().is_ok(), "a thaw begins with it");
    }
}
