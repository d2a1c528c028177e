//! System calls that a filter refuses, for tests: seccomp(2), as service managers and runtimes of containers set it.

use nix::errno::Errno;
use nix::libc;
use std::ffi::{c_long, c_uint};
use std::process::Command;

/// Does `act` in a thread for which `calls` are not permitted (`EPERM`), whatever their arguments.
pub(super) fn refusing<T: Send + 'static>(calls: &'static [c_long], act: impl FnOnce() -> T + Send + 'static) -> T {
    let thread = std::thread::spawn(move || {
        refuse(calls);
        act()
    });
    thread.join().expect("the thread does not panic")
}

/// Does the test of this name, which does `act`, in a process of its own: no thread of another test is there, so a filter may be
/// for all of them.
pub(super) fn alone(name: &str, act: impl FnOnce()) {
    const ALONE: &str = "BULKHEAD_TEST_ALONE";
    if std::env::var_os(ALONE).is_some() {
        return act();
    }
    let myself = std::env::current_exe().expect("there is a program");
    let again = Command::new(myself).args(["--exact", name]).env(ALONE, "1").output().expect("it starts");
    let told = String::from_utf8_lossy(&again.stdout);
    assert!(again.status.success() && told.contains("1 passed"), "{told}");
}

/// From now on these calls are not permitted for any thread of this process.
pub(super) fn refuse_all(calls: &[c_long]) {
    set(calls, libc::SECCOMP_FILTER_FLAG_TSYNC);
}

/// From now on, for this thread and what it starts.
fn refuse(calls: &[c_long]) {
    set(calls, 0);
}

fn set(calls: &[c_long], flags: libc::c_ulong) {
    let (load, equal, answer) =
        (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, libc::BPF_RET);
    let line = |code: u32, k: u32, jt: u8| libc::sock_filter { code: code as u16, jt, jf: 0, k };
    // The call's number; then each of those that are refused, from which as many lines are left to the last.
    let mut lines = vec![line(load, 0, 0)];
    for (index, call) in calls.iter().enumerate() {
        let number = u32::try_from(*call).expect("a call's number is small");
        lines.push(line(equal, number, u8::try_from(calls.len() - index).expect("they are few")));
    }
    lines.push(line(answer, libc::SECCOMP_RET_ALLOW, 0));
    lines.push(line(answer, libc::SECCOMP_RET_ERRNO | Errno::EPERM as u32, 0));
    let length = u16::try_from(lines.len()).expect("they are few");
    let program = libc::sock_fprog { len: length, filter: lines.as_mut_ptr() };
    // SAFETY: four numbers; no memory is touched.
    #[expect(unsafe_code, reason = "prctl(2) of this thread")]
    Errno::result(unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) }).expect("no new privileges");
    // SAFETY: the kernel reads a program of as many lines as it says, which live until the call is over.
    #[expect(unsafe_code, reason = "seccomp(2)")]
    let set =
        unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, flags as c_uint, &raw const program) };
    // With the flag, the number of a thread that cannot have the filter.
    assert_eq!(Errno::result(set), Ok(0), "the filter is set");
}
