use super::*;
use crate::file::tests::Folder;
use crate::{Loss, verify};
use std::fs;
use std::os::unix::net::UnixDatagram;

fn entry(trail: &Trail, command: &str) -> Entry {
    let mut members = trail.begin(SystemTime::now());
    members.text("command", command);
    Entry { members, ..Entry::default() }
}

fn put(trail: &mut Trail, command: &str) -> Option<Notice> {
    let entry = entry(trail, command);
    trail.record(entry)
}

fn to_file(folder: &Folder) -> Trail {
    Trail::new(Some(folder.join("a")), None, "r".to_owned(), Limits::default())
}

/// How many lines there are and which were lost.
fn checked(folder: &Folder) -> (u64, Vec<(u64, u64)>) {
    let report = verify([("a".to_owned(), fs::read(folder.join("a")).unwrap().as_slice())]).unwrap();
    (report.lines, report.losses.iter().map(|Loss { first, last, .. }| (*first, *last)).collect())
}

#[test]
fn a_second_life_goes_on_where_the_first_ended() {
    let folder = Folder::new("lives");
    for _ in 0..3 {
        let mut trail = to_file(&folder);
        put(&mut trail, "x");
        put(&mut trail, "y");
    }
    assert_eq!(checked(&folder), (6, vec![]));
    assert!(folder.read("a").lines().last().unwrap().starts_with("{\"seq\":6,"));
}

#[test]
fn while_held_nothing_is_touched() {
    let folder = Folder::new("held");
    let mut trail = to_file(&folder);
    trail.hold();
    put(&mut trail, "x");
    trail.reopen();
    assert!(!folder.join("a").exists());
    assert!(trail.release().is_none());
    assert!(trail.release().is_none(), "a second thaw has nothing to write");
    put(&mut trail, "y");
    assert_eq!(checked(&folder), (2, vec![]));
}

#[test]
fn a_flood_while_held_is_a_recorded_loss() {
    let folder = Folder::new("flood");
    let mut trail = to_file(&folder);
    trail.hold();
    (0..1030).for_each(|_| drop(put(&mut trail, "x")));
    trail.release();
    put(&mut trail, "y");
    assert_eq!(checked(&folder), (1026, vec![(1025, 1030)]));
}

#[test]
fn what_cannot_be_written_is_counted_and_told_once() {
    let folder = Folder::new("failing");
    let mut trail = to_file(&folder);
    put(&mut trail, "1");
    fs::rename(folder.join("a"), folder.join("kept")).unwrap();
    fs::create_dir(folder.join("a")).unwrap();
    assert!(matches!(put(&mut trail, "2"), Some(Notice::Failing(_))));
    assert!(put(&mut trail, "3").is_none());
    fs::remove_dir(folder.join("a")).unwrap();
    fs::rename(folder.join("kept"), folder.join("a")).unwrap();
    assert!(matches!(put(&mut trail, "4"), Some(Notice::Recovered(2))));
    assert_eq!(checked(&folder), (3, vec![(2, 3)]));
}

/// One that says the same as others of its `kind`.
fn same(trail: &mut Trail, kind: Kind, what: &str, now: Instant) -> Option<Notice> {
    let entry = Entry { kind, like: Some(what.to_owned()), ..entry(trail, what) };
    trail.record_at(entry, now)
}

#[test]
fn a_flood_of_the_same_is_a_line_and_a_count() {
    let (folder, now) = (Folder::new("repeated"), Instant::now());
    let mut trail = to_file(&folder);
    (0..100_000).for_each(|_| drop(same(&mut trail, Kind::Rejected, "x", now)));
    assert_eq!(folder.read("a").lines().count(), 1, "while it lasts");
    put(&mut trail, "y");
    assert!(folder.read("a").contains(r#""event":"repeated","times":99999,"until":""#));
    assert_eq!(checked(&folder), (3, vec![]));
    assert_eq!((trail.figures().written, trail.figures().repeated), (3, 99_999));
}

#[test]
fn a_flood_of_what_is_not_the_same_is_a_recorded_loss_and_hides_nothing() {
    let (folder, now) = (Folder::new("fast"), Instant::now());
    let limits = Limits { rate: 10_000, ..Limits::default() };
    let mut trail = Trail::new(Some(folder.join("a")), None, "r".to_owned(), limits);
    let said: Vec<_> = (0..50_000)
        .filter_map(|count| same(&mut trail, Kind::Rejected, if count % 2 == 0 { "x" } else { "y" }, now))
        .collect();
    assert!(matches!(said[..], [Notice::TooFast(Kind::Rejected)]), "once: {said:?}");
    assert!(folder.read("a").len() < 400_000);
    same(&mut trail, Kind::Acted, "exec", now);
    let text = folder.read("a");
    let (loss, exec) = text.trim_end().rsplit_once('\n').unwrap();
    let left_out = trail.figures().left_out;
    assert!(exec.contains(r#""command":"exec""#) && left_out > 40_000);
    assert!(loss.ends_with(&format!(r#""left-out":{{"rejected":{left_out}}}}}"#)));
    let (lines, losses) = checked(&folder);
    assert_eq!((lines, losses[0].1 - losses[0].0 + 1), (50_000 - left_out + 2, left_out));
}

#[test]
fn what_comes_too_fast_while_held_is_on_record_too() {
    let (folder, now) = (Folder::new("held-fast"), Instant::now());
    let limits = Limits { rate: 1, ..Limits::default() };
    let mut trail = Trail::new(Some(folder.join("a")), None, "r".to_owned(), limits);
    trail.hold();
    (0..10).for_each(|_| drop(same(&mut trail, Kind::Read, "x", now)));
    (0..10).for_each(|_| drop(same(&mut trail, Kind::Refused, "x", now)));
    put(&mut trail, "thaw");
    trail.release();
    put(&mut trail, "y");
    let (lines, losses) = checked(&folder);
    assert_eq!((lines, losses), (3, vec![(2, 21)]));
    assert!(folder.read("a").contains(r#""left-out":{"refused":10,"read":10}"#));
}

#[test]
fn a_full_file_is_moved_and_the_chain_goes_on() {
    let folder = Folder::new("full-file");
    let limits = Limits { size: 10_000, ..Limits::default() };
    let mut trail = Trail::new(Some(folder.join("a")), None, "r".to_owned(), limits);
    (0..200).for_each(|_| drop(put(&mut trail, "x")));
    let (old, new) = (folder.read("a.old"), folder.read("a"));
    assert!(old.len() <= 10_000 && new.len() <= 10_000 && old.len() > 9_000);
    let files = [("a.old".to_owned(), old.as_bytes()), ("a".to_owned(), new.as_bytes())];
    let report = verify(files).unwrap();
    assert_eq!((report.last, report.losses), (200, vec![]));
    assert!(report.first > 1, "and is not kept for ever");
    drop(trail);
    put(&mut to_file(&folder), "next life");
    assert!(folder.read("a").lines().last().unwrap().starts_with("{\"seq\":201,"));
}

#[test]
fn a_file_that_could_not_be_read_at_first_is_gone_on_with() {
    let folder = Folder::new("late");
    put(&mut to_file(&folder), "1");
    fs::rename(folder.join("a"), folder.join("kept")).unwrap();
    fs::create_dir(folder.join("a")).unwrap();
    let mut trail = to_file(&folder);
    put(&mut trail, "2");
    fs::remove_dir(folder.join("a")).unwrap();
    fs::rename(folder.join("kept"), folder.join("a")).unwrap();
    put(&mut trail, "3");
    assert_eq!(checked(&folder), (3, vec![(2, 2)]));
}

#[test]
fn a_torn_last_line_is_a_recorded_loss() {
    let folder = Folder::new("crash");
    put(&mut to_file(&folder), "1");
    for piece in ["{\"seq\":2,\"pr", "\0\0\0\0", "{\"seq\":9}\n"] {
        fs::write(folder.join("a"), folder.read("a") + piece).unwrap();
        put(&mut to_file(&folder), "x");
    }
    assert_eq!(checked(&folder), (7, vec![(2, 2), (5, 5), (8, 8)]));
}

#[test]
fn the_journal_gets_each_line_and_has_a_chain_of_its_own_without_a_file() {
    let folder = Folder::new("trail-journal");
    let socket = UnixDatagram::bind(folder.join("socket")).unwrap();
    let received = || {
        let mut buffer = [0; 4096];
        let length = socket.recv(&mut buffer).unwrap();
        let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
        text.lines().find_map(|line| line.strip_prefix("BULKHEAD_LINE=")).unwrap_or_default().to_owned()
    };
    let mut trail = Trail::new(None, Some(folder.join("socket")), "r".to_owned(), Limits::default());
    put(&mut trail, "1");
    put(&mut trail, "2");
    let lines = format!("{}\n{}\n", received(), received());
    assert_eq!(verify([("j".to_owned(), lines.as_bytes())]).unwrap().lines, 2);
    let mut trail = Trail::new(Some(folder.join("a")), Some(folder.join("socket")), "r".to_owned(), Limits::default());
    put(&mut trail, "3");
    assert_eq!(received() + "\n", folder.read("a"));
}
