//! The record of the call that is under way, so that an agent which is ended in the middle of an installed module's call is followed by
//! one that knows whose call it was. It counts as a failure of the module, like a trap.
//!
//! The record is a page of memory that outlives the process ([`KeptPage`]). A call costs it some stores, calls of built-in modules
//! nothing at all, and it may be written while file systems are frozen, for no disk has a part in it. It does not outlive the
//! VM's kernel: who switches the VM off in the middle of a call has not found a fault of a module.
//!
//! ```text
//! 0    16    17     18      82               256
//! FORM state length digest  command          DEATHS times: time, digest, length, command
//! ```

use bulkhead_os::{Errno, KeptPage};
use bulkhead_store::digest;
use nix::time::{ClockId, clock_gettime};
use std::cell::RefCell;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

/// The first bytes of the page. With others it is of no agent, or of one with another form.
const FORM: &[u8; 16] = b"bulkhead calls 1";

/// Where it stands whether a call is under way.
const STATE: usize = FORM.len();
const UNDER_WAY: u8 = 1;

/// Where the call stands.
const CALL: usize = STATE + 1;

/// Where the deaths stand.
const DEATHS_BEGIN: usize = 256;

/// How many calls in which an agent has ended are remembered, of all modules together; of more the oldest is forgotten. It bounds the
/// page. Three within ten minutes are the most that a policy allows if it does not say otherwise.
const DEATHS: usize = 32;

/// Bytes of one: the time, and a call.
const DEATH: usize = (KeptPage::SIZE - DEATHS_BEGIN) / DEATHS;

/// Bytes of a digest, in hexadecimal.
const DIGEST: usize = 64;

/// Bytes of a command's name that are remembered. It bounds what a call stores; the name is for people, and vendors' have some thirty.
const COMMAND: usize = DEATH - TIME - 1 - DIGEST;

/// Bytes of a time, in nanoseconds since the kernel started.
const TIME: usize = 8;

/// Where a page of memory can be if the state directory is on a disk: these are in memory wherever systemd is, or a C library.
const ELSEWHERE: &[&str] = &["/run", "/dev/shm"];

/// The record, shared by what runs modules and what decides which.
pub(crate) type SharedUnderWay = Rc<UnderWay>;

/// The record. By default there is nowhere to write one, and nobody who would read it.
#[derive(Debug, Default)]
pub(crate) struct UnderWay {
    places: Vec<(PathBuf, OsString)>,
    /// Opened when the first installed module is about to serve.
    page: RefCell<Option<Page>>,
}

/// The page, and its file.
#[derive(Debug)]
struct Page {
    page: KeptPage,
    path: PathBuf,
}

/// A call in which an agent has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Death {
    /// The SHA-256 of the module's component.
    pub(crate) digest: String,
    /// The command; empty if the module was only made ready for one.
    pub(crate) command: String,
    /// When the next agent found it.
    pub(crate) at: Instant,
    /// By which it is told from others: when that was, in nanoseconds since the kernel started.
    pub(crate) number: u64,
}

impl UnderWay {
    /// The record of agents with this state directory. Nothing is opened yet.
    pub(crate) fn of_agents_in(statedir: &Path) -> Self {
        let name = |of: &str| OsString::from(format!("bulkhead.calls{of}"));
        let elsewhere = format!(".{}", &digest::of(statedir.as_os_str().as_encoded_bytes())[..16]);
        let others = ELSEWHERE.iter().map(|folder| (PathBuf::from(folder), name(&elsewhere)));
        let places = [(statedir.to_owned(), name(""))].into_iter().chain(others).collect();
        UnderWay { places, page: RefCell::default() }
    }

    /// Opens it, and finds in which call an agent has ended; not twice. Why it cannot be opened, if it cannot: then nothing is recorded.
    pub(crate) fn open(&self) -> Result<Option<Death>, String> {
        if self.page.borrow().is_some() || self.places.is_empty() {
            return Ok(None);
        }
        let (mut page, path) = self.opened()?;
        let bytes = page.bytes();
        if !bytes.starts_with(FORM) {
            page.write(0, &[0; KeptPage::SIZE]);
            page.write(0, FORM);
        }
        let found = (page.bytes()[STATE] == UNDER_WAY).then(|| bury(&mut page)).flatten();
        *self.page.borrow_mut() = Some(Page { page, path });
        Ok(found)
    }

    fn opened(&self) -> Result<(KeptPage, PathBuf), String> {
        let mut why = String::new();
        for (folder, name) in &self.places {
            match KeptPage::open(folder, name) {
                Ok(page) => return Ok((page, folder.join(name))),
                Err(Errno::ENOTSUP) => why += &format!("{} is not in memory; ", folder.display()),
                Err(errno) => why += &format!("{}: {}; ", folder.join(name).display(), errno.desc()),
            }
        }
        Err(why.trim_end_matches("; ").to_owned())
    }

    /// A call of an installed module begins, or its being made ready, without a command.
    pub(crate) fn begin(&self, digest: &str, command: &str) {
        if let Some(Page { page, .. }) = &mut *self.page.borrow_mut() {
            let command = &command.as_bytes()[..command.len().min(COMMAND)];
            page.write(CALL, &[command.len() as u8]);
            page.write(CALL + 1, &digest.as_bytes()[..digest.len().min(DIGEST)]);
            page.write(CALL + 1 + DIGEST, command);
            page.write(STATE, &[UNDER_WAY]);
        }
    }

    /// It has ended.
    pub(crate) fn end(&self) {
        if let Some(Page { page, .. }) = &mut *self.page.borrow_mut() {
            page.write(STATE, &[0]);
        }
    }

    /// The deaths in calls of the component with this digest, the oldest first.
    pub(crate) fn deaths(&self, digest: &str) -> Vec<Death> {
        let deaths = self.page.borrow().as_ref().map(|it| read_all(&it.page.bytes())).unwrap_or_default();
        deaths.into_iter().filter(|death| death.digest == digest).collect()
    }

    /// They need not be known any more.
    pub(crate) fn forget(&self, digest: &str) {
        if let Some(Page { page, .. }) = &mut *self.page.borrow_mut() {
            let bytes = page.bytes();
            let is_other = |slot: &&[u8]| slot[TIME + 1..][..DIGEST] != *digest.as_bytes();
            let kept: Vec<&[u8]> = slots(&bytes).filter(is_other).collect();
            page.write(DEATHS_BEGIN, &padded(&kept.concat()));
        }
    }
}

/// An agent that ends in an orderly way, and has nothing to tell, leaves nothing behind.
impl Drop for UnderWay {
    fn drop(&mut self) {
        let Some(Page { page, path }) = self.page.get_mut() else { return };
        let bytes = page.bytes();
        if bytes[STATE] != UNDER_WAY && slots(&bytes).next().is_none() {
            let _ = std::fs::remove_file(path);
        }
    }
}

/// Puts the call that was under way among the deaths.
fn bury(page: &mut KeptPage) -> Option<Death> {
    let bytes = page.bytes();
    let now = u64::try_from(since_start().as_nanos()).unwrap_or(u64::MAX);
    let mut slot = now.to_le_bytes().to_vec();
    slot.extend(&bytes[CALL..][..DEATH - TIME]);
    let known: Vec<&[u8]> = slots(&bytes).collect();
    let all = [&known[known.len().saturating_sub(DEATHS - 1)..], &[&slot]].concat().concat();
    page.write(DEATHS_BEGIN, &padded(&all));
    page.write(STATE, &[0]);
    read(&slot)
}

/// The places of deaths that are in use.
fn slots(bytes: &[u8; KeptPage::SIZE]) -> impl Iterator<Item = &[u8]> {
    bytes[DEATHS_BEGIN..].chunks_exact(DEATH).take_while(|slot| slot[..TIME] != [0; TIME])
}

fn padded(deaths: &[u8]) -> Vec<u8> {
    let mut bytes = deaths.to_vec();
    bytes.resize(DEATHS * DEATH, 0);
    bytes
}

fn read_all(bytes: &[u8; KeptPage::SIZE]) -> Vec<Death> {
    slots(bytes).filter_map(read).collect()
}

/// Nothing if what stands there is not a death.
fn read(slot: &[u8]) -> Option<Death> {
    let (time, call) = slot.split_first_chunk::<TIME>()?;
    let (length, call) = call.split_first()?;
    let (digest, command) = call.split_at_checked(DIGEST)?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let number = u64::from_le_bytes(*time);
    let at = Instant::now().checked_sub(since_start().saturating_sub(Duration::from_nanos(number)))?;
    Some(Death { digest: text(digest), command: text(command.get(..usize::from(*length))?), at, number })
}

/// By the clock of [`Instant`], which goes on from one process to the next.
fn since_start() -> Duration {
    clock_gettime(ClockId::CLOCK_MONOTONIC).map(Duration::from).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A record in memory, whoever has the temporary folder where.
    struct Kept(PathBuf);

    impl Kept {
        fn new(name: &str) -> Self {
            let path = PathBuf::from(format!("/dev/shm/bulkhead-under-way-{name}-{}", std::process::id()));
            std::fs::create_dir(&path).unwrap();
            Kept(path)
        }

        fn record(&self) -> UnderWay {
            UnderWay::of_agents_in(&self.0)
        }
    }

    impl Drop for Kept {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_call_that_was_under_way_is_found_once_and_remembered() {
        let (kept, digest) = (Kept::new("found"), "ab".repeat(32));
        let record = kept.record();
        record.begin(&digest, "before it is open");
        assert_eq!(record.open().unwrap(), None);
        record.begin(&digest, "__com.example_answer");
        drop(record);
        let record = kept.record();
        let found = record.open().unwrap().unwrap();
        assert_eq!((found.digest.as_str(), found.command.as_str()), (digest.as_str(), "__com.example_answer"));
        assert_eq!(record.open().unwrap(), None, "not twice");
        assert_eq!(record.deaths(&digest).len(), 1);
        drop(record);
        let record = kept.record();
        assert_eq!(record.open().unwrap(), None, "by the next one neither");
        let [death] = &record.deaths(&digest)[..] else { panic!() };
        assert!(death.at.elapsed() < Duration::from_secs(60) && death.number == found.number);
        assert!(record.deaths(&"cd".repeat(32)).is_empty());
        record.forget(&digest);
        assert!(record.deaths(&digest).is_empty());
    }

    #[test]
    fn a_call_that_has_ended_is_nothing() {
        let kept = Kept::new("ended");
        let record = kept.record();
        record.open().unwrap();
        record.begin(&"ab".repeat(32), "x");
        record.end();
        drop(record);
        assert!(!kept.0.join("bulkhead.calls").exists(), "who has nothing to tell leaves nothing behind");
        assert_eq!(kept.record().open().unwrap(), None);
    }

    #[test]
    fn the_oldest_deaths_are_forgotten() {
        let kept = Kept::new("many");
        for number in 0..DEATHS + 2 {
            let record = kept.record();
            record.open().unwrap();
            record.begin(&format!("{number:064}"), &"long ".repeat(40));
        }
        let record = kept.record();
        record.open().unwrap();
        assert!(record.deaths(&format!("{:064}", 1)).is_empty());
        for number in 2..DEATHS + 2 {
            let [death] = &record.deaths(&format!("{number:064}"))[..] else { panic!("{number}") };
            assert_eq!(death.command.len(), COMMAND);
        }
        record.forget(&format!("{:064}", 10));
        assert_eq!((2..DEATHS + 2).filter(|it| record.deaths(&format!("{it:064}")).len() == 1).count(), DEATHS - 1);
    }

    #[test]
    fn what_stood_there_in_another_form_is_wiped() {
        let kept = Kept::new("form");
        let path = kept.0.join("bulkhead.calls");
        std::fs::write(&path, [1; KeptPage::SIZE]).unwrap();
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        let record = kept.record();
        assert_eq!(record.open().unwrap(), None);
        assert_eq!(record.page.borrow().as_ref().unwrap().page.bytes()[FORM.len()..], [0; KeptPage::SIZE - FORM.len()]);
    }

    #[test]
    fn where_the_state_directory_is_on_a_disk_it_is_elsewhere() {
        let record = UnderWay::of_agents_in(Path::new("/proc/no/memory"));
        assert!(record.places[1..].iter().all(|(_, name)| name.len() == "bulkhead.calls.".len() + 16));
        let nowhere = UnderWay { places: vec![("/proc".into(), "x".into())], page: RefCell::default() };
        assert_eq!(nowhere.open().unwrap_err(), "/proc is not in memory");
        nowhere.begin("", "");
        nowhere.end();
        assert!(nowhere.deaths("").is_empty());
    }
}
