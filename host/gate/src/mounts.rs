//! `mounts`: reading the mount table, and asking file systems how full they are.

use crate::{Errno, Gate, GateError, MountId, Usage};
use bulkhead_catalog::Capability;
use std::fs::File;
use std::time::Duration;

/// The longest mount table that is given in one piece, in bytes, to a module that asks for it so. It bounds what a VM with
/// runaway mounts (containers leak them) can make the agent hold; some twenty thousand mounts fit. Read piece by piece it may
/// be of any length.
const WHOLE_TABLE: usize = 4 * 1024 * 1024;

/// About how much of the table is given at a time, in bytes. It bounds what host and module hold of it; with less, an honest
/// module would ask more often.
const PIECE: usize = 64 * 1024;

/// How long a file system may take to say how full it is, or who. One on a disk knows at once; one behind a server or a driver
/// that hangs never does, and its owner needs the sizes of the others.
const USAGE_PATIENCE: Duration = Duration::from_secs(2);

/// The mount table, read as far as it was asked for.
#[derive(Debug)]
pub struct MountTable {
    file: File,
    /// What was read of the next line.
    rest: Vec<u8>,
}

impl MountTable {
    /// The next lines, whole ones; none at the end.
    pub fn next_lines(&mut self) -> Result<Vec<u8>, Errno> {
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

impl Gate {
    /// The mount table, to be read from its beginning.
    pub fn mount_table(&self, module: &str) -> Result<MountTable, GateError<Errno>> {
        // A thaw begins with it.
        if !self.is_frozen() {
            self.require(module, Capability::Mounts, &[])?;
        }
        Ok(MountTable { file: self.system.mount_table()?, rest: Vec::new() })
    }

    /// The text of the mount table as a whole; `EOVERFLOW` if it is too long for that.
    pub fn mountinfo(&self, module: &str) -> Result<Vec<u8>, GateError<Errno>> {
        let (mut table, mut text) = (self.mount_table(module)?, Vec::new());
        loop {
            let lines = table.next_lines()?;
            if lines.is_empty() {
                return Ok(text);
            }
            text.extend(lines);
            if text.len() > WHOLE_TABLE {
                return Err(GateError::Failed(Errno::EOVERFLOW));
            }
        }
    }

    /// Major and minor number of a block device.
    pub fn block_device(&self, module: &str, path: &[u8]) -> Result<(u32, u32), GateError<Errno>> {
        if !self.is_frozen() {
            self.require(module, Capability::Mounts, &[])?;
        }
        Ok(self.system.block_device(path)?)
    }

    /// How full the file system mounted at `mount_point` is; of no other than `is`, if that is told.
    pub fn usage(&self, module: &str, mount_point: &[u8], is: Option<MountId>) -> Result<Usage, GateError<Errno>> {
        self.require(module, Capability::Mounts, &[])?;
        Ok(self.system.usage(mount_point, is, USAGE_PATIENCE)?)
    }

    /// The identity of the btrfs mounted at `mount_point`.
    pub fn btrfs_id(&self, module: &str, mount_point: &[u8], is: MountId) -> Result<Vec<u8>, GateError<Errno>> {
        self.require(module, Capability::Mounts, &[])?;
        Ok(self.system.btrfs_id(mount_point, is, USAGE_PATIENCE)?)
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
        assert!(matches!(gate.mountinfo("filesystem"), Err(GateError::Denied { .. })));
        assert!(matches!(gate.block_device("filesystem", b"/dev/sda"), Err(GateError::Denied { .. })));
        gate.begin(Standing { frozen: true, ..Standing::default() });
        assert!(gate.mountinfo("filesystem").is_ok());
        assert_eq!(gate.block_device("filesystem", b"/dev/sda"), Ok((8, 0)), "a btrfs is known by it");
        gate.end();
        assert!(gate.mountinfo("filesystem").is_err());
    }

    #[test]
    fn a_table_of_any_length_is_given_in_pieces_of_whole_lines() {
        let system = Fake::default();
        let line = |number: usize| format!("{number} 0 0:{number} / /{} rw - tmpfs t rw\n", "x".repeat(number % 700));
        let text: String = (0..20_000).map(line).collect();
        system.set_mountinfo(text.as_str());
        let gate = testing::full(&system);
        let (mut table, mut all) = (gate.mount_table("filesystem").unwrap(), Vec::new());
        loop {
            let lines = table.next_lines().unwrap();
            if lines.is_empty() {
                break;
            }
            assert!(lines.ends_with(b"\n") && lines.len() < 3 * PIECE, "{}", lines.len());
            all.extend(lines);
        }
        assert!(all == text.as_bytes());
        assert_eq!(
            gate.mountinfo("filesystem"),
            Err(GateError::Failed(Errno::EOVERFLOW)),
            "in one piece it is too long"
        );
    }

    #[test]
    fn a_line_may_be_longer_than_a_piece_and_the_last_one_need_not_end() {
        let system = Fake::default();
        let text = format!("{}\nlast", "x".repeat(3 * PIECE));
        system.set_mountinfo(text.as_str());
        let gate = testing::full(&system);
        let mut table = gate.mount_table("report").unwrap();
        assert_eq!(table.next_lines().unwrap().len(), 3 * PIECE + 1);
        assert_eq!(table.next_lines().unwrap(), b"last");
        assert_eq!(table.next_lines().unwrap(), b"");
        assert_eq!(gate.mountinfo("report").unwrap(), text.into_bytes());
    }
}
