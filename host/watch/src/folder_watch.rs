//! Hearing that a file in a folder was replaced, without looking (inotify(7)).

use crate::Watch;
use nix::errno::Errno;
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify, WatchDescriptor};
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What may mean that the file is another one: moved there, which is how careful programs replace it, written in place, or
/// gone; and that the folder is not where it was.
const IN_FOLDER: AddWatchFlags = AddWatchFlags::IN_MOVED_TO
    .union(AddWatchFlags::IN_CLOSE_WRITE)
    .union(AddWatchFlags::IN_DELETE)
    .union(AddWatchFlags::IN_DELETE_SELF)
    .union(AddWatchFlags::IN_MOVE_SELF);

/// What may mean, further up, that the folder is there now, or on its way.
const ABOVE: AddWatchFlags = AddWatchFlags::IN_MOVED_TO
    .union(AddWatchFlags::IN_CREATE)
    .union(AddWatchFlags::IN_DELETE_SELF)
    .union(AddWatchFlags::IN_MOVE_SELF);

/// Tells that a file of a folder may have changed. The folder need not be there yet: then the nearest one above it is watched.
///
/// It is aimed by its [`Aim`], on whichever thread may wait for a disk, and is heard in tokio's.
#[derive(Debug)]
pub struct FolderWatch {
    shared: Arc<Shared>,
    ready: Watch,
}

/// What aims a [`FolderWatch`]. To find a path may take as long as a disk takes.
#[derive(Clone, Debug)]
pub struct Aim(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    inotify: Inotify,
    target: Mutex<Option<Target>>,
}

/// What is watched now.
#[derive(Debug)]
struct Target {
    watch: WatchDescriptor,
    /// The name in it that counts: the file's, or that of the next folder on the way.
    name: OsString,
}

impl FolderWatch {
    /// One that watches nothing yet. Needs tokio's context.
    pub fn new() -> io::Result<Self> {
        let inotify = Inotify::init(InitFlags::IN_NONBLOCK | InitFlags::IN_CLOEXEC)?;
        let ready = Watch::new(&inotify)?;
        Ok(FolderWatch { shared: Arc::new(Shared { inotify, target: Mutex::default() }), ready })
    }

    /// What aims it.
    pub fn aim(&self) -> Aim {
        Aim(Arc::clone(&self.shared))
    }

    /// Waits until the file may be another one. Aim again then, and only then read the file: what happens in between is told
    /// of, and the folder may be another one too.
    pub async fn changed(&self) -> io::Result<()> {
        loop {
            self.ready.changed().await?;
            if self.shared.has_news()? {
                return Ok(());
            }
        }
    }
}

impl Aim {
    /// From now on `file` in `folder` is watched, or the nearest folder above that is there.
    pub fn at(&self, folder: &Path, file: &OsStr) -> io::Result<()> {
        let mut name = file;
        for (steps, above) in folder.ancestors().enumerate() {
            let events = if steps == 0 { IN_FOLDER } else { ABOVE };
            match self.0.inotify.add_watch(above, events | AddWatchFlags::IN_ONLYDIR) {
                Ok(watch) => {
                    self.0.set(Target { watch, name: name.to_owned() });
                    return Ok(());
                }
                Err(Errno::ENOENT | Errno::ENOTDIR) => name = above.file_name().unwrap_or_default(),
                Err(errno) => return Err(errno.into()),
            }
        }
        Err(Errno::ENOENT.into())
    }
}

impl Shared {
    fn set(&self, target: Target) {
        let before = self.target().replace(target);
        let now = self.target().as_ref().map(|target| target.watch);
        // The kernel gives the same folder the same number again, and has taken off by itself what is gone.
        if let Some(before) = before.filter(|before| Some(before.watch) != now) {
            let _ = self.inotify.rm_watch(before.watch);
        }
    }

    /// Reads what has happened: whether any of it counts.
    fn has_news(&self) -> io::Result<bool> {
        let mut has_news = false;
        loop {
            match self.inotify.read_events() {
                Ok(events) => {
                    let target = self.target();
                    has_news |= events.iter().any(|event| match &*target {
                        _ if event.mask.contains(AddWatchFlags::IN_Q_OVERFLOW) => true,
                        // What is said of the folder itself has no name. That a watch was taken off we did ourselves, or
                        // the folder is gone, which is said too.
                        Some(target) if event.wd == target.watch => event
                            .name
                            .as_ref()
                            .map_or(event.mask != AddWatchFlags::IN_IGNORED, |name| *name == target.name),
                        _ => false,
                    });
                }
                Err(Errno::EAGAIN) => return Ok(has_news),
                Err(Errno::EINTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
    }

    fn target(&self) -> MutexGuard<'_, Option<Target>> {
        self.target.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::path::PathBuf;
    use std::time::Duration;

    struct Folder(PathBuf);

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    /// Whether the watch tells of something within a moment that is long for a kernel.
    async fn tells(watch: &FolderWatch) -> bool {
        tokio::time::timeout(Duration::from_millis(200), watch.changed()).await.is_ok()
    }

    fn in_tokio(name: &str, test: impl AsyncFnOnce(&Path, &FolderWatch)) {
        let folder = Folder(std::env::temp_dir().join(format!("bulkhead-watch-{name}-{}", std::process::id())));
        fs::create_dir_all(&folder.0).unwrap();
        let tokio = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build().unwrap();
        tokio.block_on(async { test(&folder.0, &FolderWatch::new().unwrap()).await });
    }

    #[test]
    fn it_tells_of_the_one_file_and_of_no_other() {
        in_tokio("file", async |folder, watch| {
            watch.aim().at(folder, OsStr::new("state")).unwrap();
            fs::write(folder.join("other"), "x").unwrap();
            assert!(!tells(watch).await, "another file");
            fs::rename(folder.join("other"), folder.join("state")).unwrap();
            assert!(tells(watch).await, "moved there");
            assert!(!tells(watch).await, "once");
            fs::write(folder.join("state"), "y").unwrap();
            assert!(tells(watch).await, "written");
            fs::remove_file(folder.join("state")).unwrap();
            assert!(tells(watch).await, "gone");
        });
    }

    #[test]
    fn a_folder_that_is_not_there_is_waited_for_step_by_step() {
        in_tokio("above", async |folder, watch| {
            let deep = folder.join("a/b");
            let aim = || watch.aim().at(&deep, OsStr::new("state")).unwrap();
            aim();
            fs::create_dir(folder.join("other")).unwrap();
            assert!(!tells(watch).await, "another folder");
            fs::create_dir(folder.join("a")).unwrap();
            assert!(tells(watch).await);
            aim();
            assert!(!tells(watch).await, "to aim is not news");
            fs::create_dir(&deep).unwrap();
            assert!(tells(watch).await);
            aim();
            fs::write(deep.join("state"), "x").unwrap();
            assert!(tells(watch).await);
            fs::rename(folder.join("a"), folder.join("c")).unwrap();
            assert!(!tells(watch).await, "what happens above a folder that is there is not heard");
            fs::rename(folder.join("c/b"), folder.join("b")).unwrap();
            assert!(tells(watch).await, "that it was moved away itself is");
        });
    }
}
