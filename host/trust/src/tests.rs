use super::*;
use bulkhead_test_support::Scratch;
use nix::sys::stat::Mode;
use nix::unistd::{chown, mkfifo};
use std::os::unix::fs::{PermissionsExt, symlink};

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn said(path: &Path) -> String {
    read(path).unwrap_err().to_string()
}

#[test]
fn what_others_can_write_is_not_read() {
    let scratch = Scratch::new("writable");
    let file = scratch.file("policy.toml", "x");
    assert_eq!(read(&file).unwrap().as_deref(), Some("x"));
    for mode in [0o664, 0o646] {
        chmod(&file, mode);
        assert!(said(&file).ends_with(&format!(": chmod go-w {}", file.display())));
    }
    chmod(&file, 0o644);
    chmod(scratch.path(), 0o1777);
    assert!(said(&file).contains("is for everybody"), "to change its mode would be bad advice");
    for mode in [0o775, 0o777] {
        chmod(scratch.path(), mode);
        assert!(said(&file).ends_with(&format!(": chmod go-w {}", scratch.path().display())));
        assert!(drop_ins(scratch.path()).is_err());
    }
}

#[test]
fn a_folder_that_others_can_replace_is_as_bad_as_the_file() {
    let scratch = Scratch::new("above");
    let file = scratch.folder("above").join("policy.toml");
    fs::write(&file, "x").unwrap();
    chmod(scratch.path(), 0o777);
    assert!(said(&file).ends_with(&format!(": chmod go-w {}", scratch.path().display())));
    chmod(scratch.path(), 0o1777);
    assert_eq!(read(&file).unwrap().as_deref(), Some("x"), "as in /tmp: nobody can replace what is root's");
}

#[test]
fn what_belongs_to_another_is_not_read() {
    if !Uid::effective().is_root() {
        println!("skipped: only root can give a file away");
        return;
    }
    let scratch = Scratch::new("foreign");
    let file = scratch.file("policy.toml", "x");
    chown(&file, Some(Uid::from_raw(65534)), None).unwrap();
    assert!(said(&file).contains("belongs to user 65534"));
    chown(&file, Some(Uid::from_raw(0)), None).unwrap();
    chown(scratch.path(), Some(Uid::from_raw(65534)), None).unwrap();
    assert!(said(&file).ends_with(&format!(": chown root {}", scratch.path().display())));
}

#[test]
fn a_link_is_as_good_as_what_it_leads_to() {
    let scratch = Scratch::new("links");
    let (folder, link) = (scratch.folder("there"), scratch.path().join("policy.toml"));
    fs::write(folder.join("file"), "x").unwrap();
    symlink("there/second", &link).unwrap();
    symlink("file", folder.join("second")).unwrap();
    assert_eq!(read(&link).unwrap().as_deref(), Some("x"));
    chmod(&folder, 0o1777);
    assert_eq!(read(&link).unwrap().as_deref(), Some("x"), "nobody can replace a file of root there");
    chmod(&folder, 0o777);
    assert!(said(&link).contains("can be written by others"));
    chmod(&folder, 0o755);
    chmod(&folder.join("file"), 0o666);
    assert!(said(&link).contains("can be written by others"));
    fs::remove_file(folder.join("file")).unwrap();
    assert!(said(&link).starts_with("cannot read "), "it leads nowhere, which is not the same as no policy");
    symlink("second", folder.join("file")).unwrap();
    assert!(read(&link).is_err(), "a circle ends");
}

#[test]
fn only_short_regular_text_is_read() {
    let scratch = Scratch::new("regular");
    assert_eq!(read(&scratch.path().join("none")).unwrap(), None);
    let fifo = scratch.path().join("fifo");
    mkfifo(&fifo, Mode::from_bits_truncate(0o600)).unwrap();
    assert!(matches!(read(&fifo), Err(TrustError::NotAFile { .. })), "and nobody waits for a writer");
    assert!(matches!(read(&scratch.folder("folder")), Err(TrustError::NotAFile { .. })));
    let file = scratch.file("long", "");
    File::options().write(true).open(&file).unwrap().set_len(TEXT).unwrap();
    assert_eq!(read(&file).unwrap().map(|text| text.len() as u64), Some(TEXT));
    File::options().write(true).open(&file).unwrap().set_len(TEXT + 1).unwrap();
    assert!(matches!(read(&file), Err(TrustError::TooLong { .. })));
    fs::write(&file, b"\xff").unwrap();
    assert!(matches!(read(&file), Err(TrustError::NotText { .. })));
}

#[test]
fn drop_ins_are_sorted_and_leftovers_ignored() {
    let scratch = Scratch::new("drop-ins");
    for name in ["b.toml", "a.toml", ".hidden.toml", "c.toml~", "d.toml.bak", "#e.toml#", "README"] {
        scratch.file(name, "");
    }
    let names: Vec<_> =
        drop_ins(scratch.path()).unwrap().iter().map(|path| path.file_name().unwrap().to_owned()).collect();
    assert_eq!(names, ["a.toml", "b.toml"]);
    assert!(drop_ins(&scratch.path().join("none")).unwrap().is_empty());
    (0..=FILES).for_each(|number| drop(scratch.file(&format!("{number}.toml"), "")));
    assert!(matches!(drop_ins(scratch.path()), Err(TrustError::TooMany { .. })));
}

#[test]
fn a_link_among_the_folders_is_as_good_as_where_it_stands() {
    let scratch = Scratch::new("above-links");
    let (safe, open) = (scratch.folder("safe"), scratch.folder("open"));
    fs::write(safe.join("file"), "x").unwrap();
    symlink("../safe", open.join("link")).unwrap();
    let path = open.join("link/file");
    assert_eq!(read(&path).unwrap().as_deref(), Some("x"));
    chmod(&open, 0o777);
    assert!(said(&path).contains("can be written by others"), "somebody could have it lead to another safe place");
    chmod(&open, 0o1777);
    assert_eq!(read(&path).unwrap().as_deref(), Some("x"), "nobody can replace a link of root's there");
    if Uid::effective().is_root() {
        std::os::unix::fs::lchown(open.join("link"), Some(65534), None).unwrap();
        assert!(said(&path).contains("belongs to user 65534"), "he could replace his own");
    } else {
        println!("skipped in part: only root can give a link away");
    }
}

#[test]
fn what_the_agent_made_is_no_link() {
    let scratch = Scratch::new("own");
    let (folder, file) = (scratch.folder("folder"), scratch.file("file", "x"));
    symlink("folder", scratch.path().join("link")).unwrap();
    symlink("../file", folder.join("link")).unwrap();
    assert!(is_own_folder(&folder).unwrap() && !is_own_folder(&scratch.path().join("none")).unwrap());
    assert!(matches!(is_own_folder(&scratch.path().join("link")), Err(TrustError::Link { .. })));
    assert!(matches!(is_own_folder(&file), Err(TrustError::NotAFolder { .. })));
    assert_eq!(read_own(&file, 1).unwrap().as_deref(), Some(b"x".as_slice()));
    assert!(matches!(read_own(&folder.join("link"), 1), Err(TrustError::Link { .. })));
    assert_eq!(read_own(&folder.join("none"), 1).unwrap(), None);
    assert!(matches!(read_own(&file, 0), Err(TrustError::TooLong { .. })));
    chmod(&file, 0o666);
    assert!(matches!(read_own(&file, 1), Err(TrustError::Writable { .. })));
    chmod(&folder, 0o777);
    assert!(matches!(is_own_folder(&folder), Err(TrustError::Writable { .. })));
}

#[test]
fn a_program_is_told_by_where_it_really_is() {
    let scratch = Scratch::new("program");
    let file = scratch.file("program-1.0", "");
    let link = scratch.path().join("program");
    symlink("program-1.0", &link).unwrap();
    assert_eq!(check_file(&link).unwrap(), fs::canonicalize(&file).unwrap());
    chmod(&file, 0o775);
    assert!(matches!(check_file(&link), Err(TrustError::Writable { .. })));
    assert!(matches!(check_file(&scratch.path().join("none")), Err(TrustError::Unreadable { .. })));
}

#[test]
fn bytes_are_read_up_to_a_limit() {
    let scratch = Scratch::new("bytes");
    let file = scratch.file("file", "");
    fs::write(&file, b"\xff\x00").unwrap();
    assert_eq!(read_bytes(&file, 2).unwrap().as_deref(), Some(b"\xff\x00".as_slice()));
    let error = read_bytes(&file, 1).unwrap_err();
    assert!(error.to_string().contains("longer than 1 bytes"), "{error}");
}
