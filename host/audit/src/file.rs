//! The file that lines are appended to.
//!
//! Whoever rotates it need not tell the agent: before each line it is seen whether the path still leads to the file that is
//! open. A file that was truncated in place goes on at its new end, for everything is appended. One that is full and was not
//! rotated by anybody is moved aside.

use nix::unistd::Uid;
use std::fs::{self, DirBuilder, File, Metadata, TryLockError};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// How much of a file's end is read to find its last line, in bytes. Lines are far shorter; a file with more than this
/// behind its last line break was not written by an agent, and what is read of it is taken for a torn line.
const TAIL: u64 = 256 * 1024;

/// The file.
#[derive(Debug)]
pub(crate) struct AuditFile {
    path: PathBuf,
    /// How long it may grow, in bytes; 0 is without a limit.
    size: u64,
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    file: File,
    device: u64,
    inode: u64,
    length: u64,
    /// Whether its last line has no end.
    torn: bool,
}

/// A line that is not there, or only a piece of it.
#[derive(Debug)]
pub(crate) struct Unwritten {
    pub(crate) error: io::Error,
    /// How many of its bytes are there and could not be taken away again.
    pub(crate) left: usize,
}

impl From<io::Error> for Unwritten {
    fn from(error: io::Error) -> Self {
        Unwritten { error, left: 0 }
    }
}

impl AuditFile {
    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Opens nothing yet.
    pub(crate) fn new(path: PathBuf, size: u64) -> Self {
        AuditFile { path, size, open: None }
    }

    /// Opens the path again with the next line.
    pub(crate) fn close(&mut self) {
        self.open = None;
    }

    /// The end of what was written before, for the chain to go on: whole lines, or a torn one behind them. If the file has
    /// nothing in it, the end of the one that it was rotated to.
    pub(crate) fn tail(&mut self) -> io::Result<Vec<u8>> {
        let tail = tail(&self.opened()?.file)?;
        if tail.is_empty() { Ok(newest_sibling(&self.path).unwrap_or_default()) } else { Ok(tail) }
    }

    /// Appends a line. If not all of it can be written, none of it stays, as far as that can be done.
    pub(crate) fn append(&mut self, line: &str) -> Result<(), Unwritten> {
        if self.open.as_mut().is_some_and(|open| !open.is_at(&self.path)) {
            self.open = None;
        }
        let size = self.size;
        let has_room = |open: &Open| size == 0 || open.length == 0 || open.length + line.len() as u64 <= size;
        if !has_room(self.opened()?) {
            self.move_aside()?;
        }
        let open = self.opened()?;
        if open.torn {
            open.file.write_all(b"\n")?;
            open.torn = false;
        }
        let (mut written, bytes) = (0, line.as_bytes());
        while written < bytes.len() {
            match open.file.write(&bytes[written..]) {
                Ok(0) => return Err(open.take_back(written, ErrorKind::WriteZero.into())),
                Ok(count) => written += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(open.take_back(written, error)),
            }
        }
        Ok(())
    }

    /// Moves a full file to the same name with `.old` behind it, where the next line finds it. A link stays and leads to the new one.
    fn move_aside(&mut self) -> io::Result<()> {
        let path = fs::canonicalize(&self.path)?;
        let mut old = path.clone().into_os_string();
        old.push(".old");
        fs::rename(&path, &old).map_err(|error| {
            let why =
                format!("it is full, with {} bytes, and cannot be moved to {}: {error}", self.size, old.display());
            io::Error::new(error.kind(), why)
        })?;
        self.open = None;
        Ok(())
    }

    fn opened(&mut self) -> io::Result<&mut Open> {
        let open = match self.open.take() {
            Some(open) => open,
            None => Open::new(&self.path)?,
        };
        Ok(self.open.insert(open))
    }
}

impl Open {
    fn new(path: &Path) -> io::Result<Self> {
        // Reading and writing: so a FIFO does not make the agent wait for a reader before it is seen to be one.
        let open = || File::options().read(true).append(true).create(true).mode(0o600).open(path);
        let file = match open() {
            // Its folder is nobody else's business, so it is made if it is all that is missing.
            Err(error) if error.kind() == ErrorKind::NotFound => {
                DirBuilder::new().mode(0o700).create(folder_of(path)).map_err(|_| error)?;
                open()?
            }
            opened => opened?,
        };
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::new(ErrorKind::InvalidInput, "it is not a regular file"));
        }
        trusted(path, &metadata)?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => {
                return Err(io::Error::new(ErrorKind::ResourceBusy, "another process has it locked"));
            }
            // On a file system without locks the audit is kept all the same.
            Err(TryLockError::Error(_)) | Ok(()) => {}
        }
        let torn = tail(&file)?.last().is_some_and(|last| *last != b'\n');
        Ok(Open { file, device: metadata.dev(), inode: metadata.ino(), length: metadata.len(), torn })
    }

    /// Whether the path still leads to it. Finds out how long it is by now.
    fn is_at(&mut self, path: &Path) -> bool {
        let Ok(metadata) = fs::metadata(path) else { return false };
        self.length = metadata.len();
        (metadata.dev(), metadata.ino()) == (self.device, self.inode)
    }

    /// Removes the `written` bytes at the end.
    fn take_back(&mut self, written: usize, error: io::Error) -> Unwritten {
        if written == 0 {
            return error.into();
        }
        let begin = self.file.stream_position().map(|end| end.saturating_sub(written as u64));
        let removed = begin.and_then(|begin| self.file.set_len(begin));
        // A file that may only be appended to (chattr +a) keeps it.
        self.torn = removed.is_err();
        Unwritten { error, left: if self.torn { written } else { 0 } }
    }
}

/// Whether nobody else can write the file, or put another one in its place: what it says would be theirs. A folder for a group is
/// the system's own way with /var/log, and fit for it.
fn trusted(path: &Path, metadata: &Metadata) -> io::Result<()> {
    let refuse = |why: String| Err(io::Error::new(ErrorKind::PermissionDenied, why));
    let (shown, uid) = (path.display(), metadata.uid());
    if uid != 0 && uid != Uid::effective().as_raw() {
        return refuse(format!("it belongs to user {uid}, who could change it: chown root {shown}"));
    }
    if metadata.mode() & 0o022 != 0 {
        return refuse(format!("it can be written by others, who could change it: chmod go-w {shown}"));
    }
    let folder = folder_of(path);
    let mode = fs::metadata(folder)?.mode();
    // In one with this bit nobody can replace what is another's.
    if mode & 0o002 != 0 && mode & 0o1000 == 0 {
        let folder = folder.display();
        return refuse(format!("its folder can be written by everybody, who could replace it: chmod o-w {folder}"));
    }
    Ok(())
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// The last bytes of a file.
fn tail(mut file: &File) -> io::Result<Vec<u8>> {
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
    let mut tail = Vec::new();
    file.take(TAIL).read_to_end(&mut tail)?;
    Ok(tail)
}

/// The end of the newest file that is called as `path` with `.` or `-` and something behind it, as rotation names them.
fn newest_sibling(path: &Path) -> Option<Vec<u8>> {
    let name = path.file_name()?.as_encoded_bytes();
    let siblings = fs::read_dir(path.parent()?).ok()?.flatten().filter(|entry| {
        let other = entry.file_name();
        other.as_encoded_bytes().strip_prefix(name).is_some_and(|rest| rest.starts_with(b".") || rest.starts_with(b"-"))
    });
    let newest = siblings
        .filter_map(|entry| Some((entry.metadata().ok().filter(Metadata::is_file)?.modified().ok()?, entry.path())))
        .max()?;
    tail(&File::open(newest.1).ok()?).ok()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    /// A folder of one test.
    pub(crate) struct Folder(PathBuf);

    impl Folder {
        pub(crate) fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("bulkhead-audit-{name}-{}", std::process::id()));
            fs::create_dir(&path).unwrap();
            Folder(path)
        }

        pub(crate) fn join(&self, name: &str) -> PathBuf {
            self.0.join(name)
        }

        pub(crate) fn read(&self, name: &str) -> String {
            fs::read_to_string(self.join(name)).unwrap()
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn the_path_decides_where_a_line_goes() {
        let folder = Folder::new("rotated");
        let mut file = AuditFile::new(folder.join("a"), 0);
        file.append("1\n").unwrap();
        assert_eq!(fs::metadata(folder.join("a")).unwrap().permissions().mode() & 0o777, 0o600);
        fs::rename(folder.join("a"), folder.join("a.1")).unwrap();
        file.append("2\n").unwrap();
        fs::copy(folder.join("a"), folder.join("a.2")).unwrap();
        File::options().write(true).open(folder.join("a")).unwrap().set_len(0).unwrap();
        file.append("3\n").unwrap();
        assert_eq!(["a.1", "a.2", "a"].map(|name| folder.read(name)), ["1\n", "2\n", "3\n"]);
    }

    #[test]
    fn a_torn_line_is_closed_before_the_next() {
        let folder = Folder::new("torn");
        fs::write(folder.join("a"), "1\n{\"se").unwrap();
        let mut file = AuditFile::new(folder.join("a"), 0);
        assert_eq!(file.tail().unwrap(), b"1\n{\"se");
        file.append("2\n").unwrap();
        assert_eq!(folder.read("a"), "1\n{\"se\n2\n");
    }

    #[test]
    fn an_empty_file_goes_on_where_the_rotated_one_ends() {
        let folder = Folder::new("siblings");
        fs::write(folder.join("a.2"), "1\n").unwrap();
        std::thread::sleep(std::time::Duration::from_millis(20));
        fs::write(folder.join("a-20260131"), "2\n").unwrap();
        fs::write(folder.join("ab"), "3\n").unwrap();
        assert_eq!(AuditFile::new(folder.join("a"), 0).tail().unwrap(), b"2\n");
        fs::write(folder.join("a"), "4\n").unwrap();
        assert_eq!(AuditFile::new(folder.join("a"), 0).tail().unwrap(), b"4\n");
    }

    #[test]
    fn only_a_regular_file_of_its_own_will_do() {
        let folder = Folder::new("irregular");
        std::os::unix::fs::symlink("/dev/null", folder.join("device")).unwrap();
        for name in ["device", "no-folder/none-in-it/a", "."] {
            assert!(AuditFile::new(folder.join(name), 0).append("1\n").is_err(), "{name}");
        }
        let mut first = AuditFile::new(folder.join("a"), 0);
        first.append("1\n").unwrap();
        assert!(AuditFile::new(folder.join("a"), 0).append("2\n").is_err(), "two chains would get mixed up");
        first.close();
        AuditFile::new(folder.join("a"), 0).append("3\n").unwrap();
        assert_eq!(folder.read("a"), "1\n3\n");
    }

    #[test]
    fn a_full_file_is_moved_aside_even_behind_a_link() {
        let folder = Folder::new("full");
        fs::create_dir(folder.join("disk")).unwrap();
        std::os::unix::fs::symlink(folder.join("disk/a"), folder.join("link")).unwrap();
        let mut file = AuditFile::new(folder.join("link"), 8);
        ["1234567\n", "2\n", "3\n", "a line that is longer than the file\n", "5\n"]
            .iter()
            .for_each(|line| file.append(line).unwrap());
        assert_eq!(
            ["disk/a.old", "disk/a"].map(|name| folder.read(name)),
            ["a line that is longer than the file\n", "5\n"]
        );
        fs::remove_file(folder.join("disk/a.old")).unwrap();
        fs::create_dir_all(folder.join("disk/a.old/x")).unwrap();
        let error = file.append("1234567\n").unwrap_err().error.to_string();
        assert!(error.starts_with("it is full, with 8 bytes, and cannot be moved to "), "{error}");
        assert_eq!(folder.read("disk/a"), "5\n");
    }

    #[test]
    fn its_folder_is_made_if_that_is_all_that_is_missing() {
        let folder = Folder::new("made");
        AuditFile::new(folder.join("bulkhead/audit.jsonl"), 0).append("1\n").unwrap();
        assert_eq!(fs::metadata(folder.join("bulkhead")).unwrap().permissions().mode() & 0o777, 0o700);
        assert!(AuditFile::new(folder.join("typo/bulkhead/audit.jsonl"), 0).append("1\n").is_err());
        assert!(!folder.join("typo").exists());
    }

    #[test]
    fn a_file_that_others_can_write_is_not_taken() {
        let folder = Folder::new("untrusted");
        let chmod =
            |name: &str, mode| fs::set_permissions(folder.join(name), fs::Permissions::from_mode(mode)).unwrap();
        let said =
            || AuditFile::new(folder.join("a"), 0).append("1\n").map_err(|unwritten| unwritten.error.to_string());
        said().unwrap();
        for mode in [0o620, 0o602, 0o666] {
            chmod("a", mode);
            assert!(said().unwrap_err().contains("can be written by others"), "{mode:o}");
        }
        chmod("a", 0o644);
        for (mode, fits) in [(0o775, true), (0o777, false), (0o1777, true)] {
            chmod("", mode);
            assert_eq!(said().is_ok(), fits, "{mode:o}");
        }
        if Uid::effective().is_root() {
            std::os::unix::fs::chown(folder.join("a"), Some(1), None).unwrap();
            assert!(said().unwrap_err().contains("belongs to user 1"));
        }
    }
}
