use super::*;
use bulkhead_test_support::Scratch;
use nix::sys::stat::Mode;

const COUNTED: std::ops::Range<i64> = 0..BEYOND_COUNTING;

fn opened(folder: &Scratch) -> State {
    State::open(folder.path()).unwrap()
}

fn counter(folder: &Scratch) -> String {
    fs::read_to_string(folder.path().join("qga.state")).unwrap()
}

#[test]
fn handles_go_on_after_a_restart() {
    let folder = Scratch::new("state-handles");
    let mut state = opened(&folder);
    assert_eq!(counter(&folder), "[global]\nfd_counter=1000\n", "as qemu-ga begins");
    assert_eq!((state.next_handle().unwrap(), state.next_handle().unwrap()), (1000, 1001));
    assert_eq!(counter(&folder), "[global]\nfd_counter=2000\n");
    assert_eq!(opened(&folder).next_handle().unwrap(), 2000, "it was killed");
    state.close();
    assert_eq!(counter(&folder), "[global]\nfd_counter=1002\n");
    assert_eq!(opened(&folder).next_handle().unwrap(), 1002);
}

#[test]
fn every_handle_is_below_the_record_while_it_is_given() {
    let folder = Scratch::new("state-record");
    let mut state = opened(&folder);
    for _ in 0..2 * STEP + 3 {
        let handle = state.next_handle().unwrap();
        let recorded = read_counter(&folder.path().join("qga.state")).unwrap().unwrap();
        assert!(handle < recorded, "{handle} is not below {recorded}");
    }
}

#[test]
fn the_frozen_flag_survives_a_crash() {
    let folder = Scratch::new("state-frozen");
    let mut state = opened(&folder);
    state.set_frozen().unwrap();
    drop(state);
    let mut state = opened(&folder);
    assert!(state.is_frozen());
    state.set_thawed().unwrap();
    assert!(!opened(&folder).is_frozen());
    state.set_thawed().unwrap();
}

/// A VM that lost its power while frozen, or was restored from the backup that the freeze was for.
#[test]
fn only_what_says_another_boot_is_of_another() {
    const BOOT: &str = "01234567-89ab-4def-8123-456789abcdef";
    let other = BOOT.replace('0', "1");
    for (said, is_other) in [
        (other.as_str(), true),
        (&format!("{other}\n"), true),
        ("\0\0\0\0", true),
        (BOOT, false),
        (&format!("{BOOT}\n"), false),
        (&BOOT.to_uppercase(), false),
        (&BOOT[..10], false),
        ("", false),
        ("x", false),
        (&BOOT.replace('0', "x"), false),
    ] {
        assert_eq!(is_of_another_boot(said.as_bytes(), BOOT), is_other, "{said:?}");
    }
}

#[test]
fn a_frozen_flag_of_another_boot_is_taken_away() {
    let folder = Scratch::new("state-boot");
    let flag = folder.path().join("qga.state.isfrozen");
    fs::write(&flag, "00000000-0000-4000-8000-000000000000\n").unwrap();
    assert!(!opened(&folder).is_frozen());
    assert!(!flag.exists());
    fs::write(&flag, "").unwrap();
    assert!(opened(&folder).is_frozen(), "qemu-ga does not say when");
    assert!(flag.exists());
}

#[test]
fn while_frozen_nothing_is_written() {
    let folder = Scratch::new("state-frozen-start");
    fs::write(folder.path().join("qga.state.isfrozen"), "").unwrap();
    fs::write(folder.path().join("qga.state"), "junk").unwrap();
    let mut state = opened(&folder);
    assert_eq!(counter(&folder), "junk");
    state.set_thawed().unwrap();
    let handle = state.next_handle().unwrap();
    assert!(!COUNTED.contains(&handle), "{handle}");
    assert_eq!(read_counter(&folder.path().join("qga.state")), Ok(Some(handle + STEP)));
}

/// What a loss of power leaves, and what people write.
#[test]
fn after_a_broken_file_no_number_is_given_twice() {
    let long = "[global]\n#".to_owned() + &"x".repeat(5000) + "\nfd_counter=1000\n";
    let broken: [&[u8]; 11] = [
        b"",
        b"\0\0\0\0\0\0\0\0\0\0\0\0",
        b"[global]\nfd_counter=\0\0\0\0\n",
        b"[global]\nfd_counter=10\xff\n",
        b"[global]\nfd_counter=\n",
        b"[global]\n",
        b"junk\n",
        b"[global]\nfd_counter=-5\n",
        b"[global]\nfd_counter=9007199254740992\n",
        b"[global]\nfd_counter=99999999999999999999\n",
        long.as_bytes(),
    ];
    for bytes in broken {
        let folder = Scratch::new("state-broken");
        fs::write(folder.path().join("qga.state"), bytes).unwrap();
        let mut state = opened(&folder);
        let first = state.next_handle().unwrap();
        assert!(!COUNTED.contains(&first) && first < LAST_HANDLE, "{first}: {:?}", String::from_utf8_lossy(bytes));
        let second = opened(&folder).next_handle().unwrap();
        assert_eq!(second, first + STEP, "it is mended: the next agent counts on");
    }
}

#[test]
fn a_state_file_that_is_none_does_not_keep_the_agent_from_starting() {
    let folder = Scratch::new("state-folder");
    fs::create_dir(folder.path().join("qga.state")).unwrap();
    let mut state = opened(&folder);
    assert!(!state.is_kept());
    assert!(!COUNTED.contains(&state.next_handle().unwrap()));
    let folder = Scratch::new("state-fifo");
    nix::unistd::mkfifo(&folder.path().join("qga.state"), Mode::S_IRWXU).unwrap();
    let mut state = opened(&folder);
    assert!(state.is_kept(), "the FIFO was replaced");
    assert!(!COUNTED.contains(&state.next_handle().unwrap()));
}

/// A folder in the place of the part stands for a directory that cannot be written: root may write everywhere.
#[test]
fn what_cannot_be_written_is_kept_in_memory() {
    let folder = Scratch::new("state-unwritable");
    let part = folder.folder("qga.state.part");
    let mut state = opened(&folder);
    assert!(!state.is_kept());
    let first = state.next_handle().unwrap();
    assert_eq!(state.next_handle().unwrap(), first + 1);
    assert!(!COUNTED.contains(&first));
    state.close();
    assert!(!folder.path().join("qga.state").exists());
    let next = opened(&folder).next_handle().unwrap();
    assert!(next > first + 1, "{next}: an agent that is started later gives none of {first}, {}", first + 1);
    fs::remove_dir(part).unwrap();
    assert_eq!(opened(&folder).next_handle().unwrap(), 1000, "these were never given by an agent without a record");
}

#[test]
fn a_directory_that_cannot_be_written_any_more_is_no_reason_to_open_no_file() {
    let folder = Scratch::new("state-full");
    let mut state = opened(&folder);
    assert_eq!(state.next_handle().unwrap(), 1000);
    let part = folder.folder("qga.state.part");
    for expected in 1001..2000 {
        assert_eq!(state.next_handle().unwrap(), expected);
    }
    let unrecorded = state.next_handle().unwrap();
    assert!(!COUNTED.contains(&unrecorded) && !state.is_kept());
    assert_eq!(counter(&folder), "[global]\nfd_counter=2000\n");
    fs::remove_dir(part).unwrap();
    for _ in 0..STEP {
        state.next_handle().unwrap();
    }
    assert!(state.is_kept(), "it is tried again");
    assert!(opened(&folder).next_handle().unwrap() > unrecorded + STEP);
}

/// Nothing may be frozen then.
#[test]
fn a_flag_that_cannot_be_set_is_an_error() {
    let folder = Scratch::new("state-no-flag");
    let mut state = opened(&folder);
    let flag = folder.folder("qga.state.isfrozen");
    let error = state.set_frozen().unwrap_err().to_string();
    let said = format!("cannot write the state file {}: Is a directory", flag.display());
    assert!(error.starts_with(&said), "{error}");
    assert!(!state.is_frozen());
}

#[test]
fn what_is_thawed_is_thawed_even_if_that_cannot_be_recorded() {
    let folder = Scratch::new("state-flag-stays");
    let mut state = opened(&folder);
    state.set_frozen().unwrap();
    let flag = folder.path().join("qga.state.isfrozen");
    fs::remove_file(&flag).unwrap();
    fs::create_dir(&flag).unwrap();
    assert!(state.set_thawed().is_err());
    assert!(!state.is_frozen());
}

#[test]
fn without_a_directory_there_is_no_state() {
    let folder = Scratch::new("state-nowhere");
    let error = State::open(&folder.path().join("none")).unwrap_err().to_string();
    assert!(error.ends_with("No such file or directory (os error 2); does the state directory exist?"), "{error}");
    let file = folder.file("file", "");
    assert!(State::open(&file).is_err());
}

#[test]
fn what_is_written_nowhere_works_as_well() {
    let mut state = State::unwritten(false);
    assert_eq!((state.next_handle().unwrap(), state.next_handle().unwrap()), (1000, 1001));
    state.set_frozen().unwrap();
    assert!(state.is_frozen());
    state.set_thawed().unwrap();
    assert!(!state.is_frozen() && State::unwritten(true).is_frozen());
}
