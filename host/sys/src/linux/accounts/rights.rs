//! Who a user is, and becoming that user for the rest of a thread's life.

use crate::KeysError;
use nix::errno::Errno;
use nix::libc;
use nix::unistd::{Gid, Uid, User, getegid, geteuid, getgrouplist};
use std::ffi::CString;
use std::os::unix::ffi::OsStringExt;

/// A user, as the user database has it.
#[derive(Clone, Debug)]
pub(in crate::linux) struct Account {
    pub(in crate::linux) uid: Uid,
    pub(in crate::linux) gid: Gid,
    /// All the groups, `gid` included.
    pub(in crate::linux) groups: Vec<Gid>,
    pub(in crate::linux) home: Vec<u8>,
    /// The program that a login starts.
    pub(in crate::linux) shell: Vec<u8>,
}

impl Account {
    /// Looks the user up (getpwnam(3), getgrouplist(3)). May wait for a server.
    pub(super) fn find(user: &str) -> Result<Self, KeysError> {
        let found = match User::from_name(user) {
            Ok(Some(found)) => found,
            // The C library reports a user database that has no such name, or is not there, in several ways.
            Ok(None) | Err(Errno::ENOENT | Errno::ESRCH) => return Err(KeysError::NoUser),
            Err(errno) => return Err(KeysError::NotLookedUp(errno)),
        };
        let name = CString::new(found.name).map_err(|_| KeysError::NoUser)?;
        let groups = getgrouplist(&name, found.gid).map_err(KeysError::NotLookedUp)?;
        let [home, shell] = [found.dir, found.shell].map(|path| path.into_os_string().into_vec());
        Ok(Account { uid: found.uid, gid: found.gid, groups, home, shell })
    }

    /// Makes files look at this thread as they look at the user. There is no way back; the thread has to end.
    ///
    /// Only the *effective* ids change. Were the real and the saved ones the user's too, the user could send this
    /// thread a signal, which ends the whole agent, or change the agent's limits; and drivers in the user's hands (FUSE)
    /// would serve it, and could let it wait. Capabilities are dropped: without them an agent that is not root but
    /// was given some would keep those that open every file.
    ///
    /// The system calls are made directly. Credentials belong to a thread, but the C library's functions change those of
    /// all threads; the others must go on as they are.
    pub(super) fn take_on_rights(&self) -> Result<(), Errno> {
        if geteuid() == self.uid {
            return Ok(());
        }
        let groups: Vec<libc::gid_t> = self.groups.iter().map(|group| group.as_raw()).collect();
        // -1 as an id: leave it as it is.
        let (uid, gid, keep) = (self.uid.as_raw(), self.gid.as_raw(), -1);
        // SAFETY: the kernel reads `groups.len()` ids from the vector, which lives until the call is over.
        #[expect(unsafe_code, reason = "setgroups(2) of this thread alone")]
        done(unsafe { libc::syscall(libc::SYS_setgroups, groups.len(), groups.as_ptr()) })?;
        // SAFETY: three numbers; no memory is touched.
        #[expect(unsafe_code, reason = "setresgid(2) of this thread alone")]
        done(unsafe { libc::syscall(libc::SYS_setresgid, keep, gid, keep) })?;
        // SAFETY: three numbers; no memory is touched.
        #[expect(unsafe_code, reason = "setresuid(2) of this thread alone")]
        done(unsafe { libc::syscall(libc::SYS_setresuid, keep, uid, keep) })?;
        drop_capabilities()?;
        // An id of -1 in the user database would have changed nothing.
        if (geteuid(), getegid()) == (self.uid, self.gid) { Ok(()) } else { Err(Errno::EINVAL) }
    }
}

fn drop_capabilities() -> Result<(), Errno> {
    /// `_LINUX_CAPABILITY_VERSION_3`: three sets of two words.
    const VERSION: u32 = 0x2008_0522;
    /// As process id: this thread.
    const SELF: u32 = 0;
    let (mut header, none) = ([VERSION, SELF], [0_u32; 6]);
    // SAFETY: the kernel reads a header of two words, whose first it may write, and, as this version has it, six words;
    // both live until the call is over.
    #[expect(unsafe_code, reason = "capset(2), for which there is no safe function")]
    done(unsafe { libc::syscall(libc::SYS_capset, header.as_mut_ptr(), none.as_ptr()) })
}

fn done(returned: libc::c_long) -> Result<(), Errno> {
    Errno::result(returned).map(drop)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use nix::unistd::{getgroups, getresuid};

    /// Somebody who is not in the user database, with this home. Nothing where the agent cannot become somebody.
    pub(in super::super) fn somebody(home: &std::path::Path) -> Option<Account> {
        if !geteuid().is_root() {
            println!("skipped: needs root");
            return None;
        }
        let (uid, gid) = (Uid::from_raw(54_321), Gid::from_raw(54_322));
        let groups = vec![gid, Gid::from_raw(54_323)];
        let home = home.as_os_str().as_encoded_bytes().to_vec();
        Some(Account { uid, gid, groups, home, shell: Vec::new() })
    }

    /// Does `act` as the user.
    pub(in super::super) fn as_user<T: Send + 'static>(
        user: &Account,
        act: impl FnOnce(&Account) -> T + Send + 'static,
    ) -> T {
        let user = user.clone();
        let thread = std::thread::spawn(move || {
            user.take_on_rights().unwrap();
            act(&user)
        });
        thread.join().unwrap()
    }

    fn capabilities() -> Vec<String> {
        let status = std::fs::read_to_string("/proc/thread-self/status").unwrap();
        status.lines().filter(|line| line.starts_with("Cap")).take(3).map(str::to_owned).collect()
    }

    #[test]
    fn one_thread_becomes_the_user_and_the_others_stay() {
        let Some(account) = somebody("/".as_ref()) else { return };
        let before = (getresuid().unwrap(), getegid(), getgroups().unwrap(), capabilities());
        let wanted = account.clone();
        std::thread::spawn(move || {
            account.take_on_rights().unwrap();
            assert_eq!((geteuid(), getegid()), (account.uid, account.gid));
            assert_eq!(getgroups().unwrap(), account.groups);
            let none = ["CapInh", "CapPrm", "CapEff"].map(|name| format!("{name}:\t0000000000000000"));
            assert_eq!(capabilities(), none);
            let ids = getresuid().unwrap();
            assert!(ids.real.is_root() && ids.saved.is_root(), "so that the user cannot signal this thread");
            let shadow = std::fs::read("/etc/shadow").map_err(|error| error.kind());
            assert_eq!(shadow, Err(std::io::ErrorKind::PermissionDenied));
            assert_eq!(account.take_on_rights(), Ok(()), "it is the user already");
            let other = Account { uid: Uid::from_raw(0), ..wanted };
            assert_eq!(other.take_on_rights(), Err(Errno::EPERM), "there is no way back");
        })
        .join()
        .unwrap();
        assert_eq!((getresuid().unwrap(), getegid(), getgroups().unwrap(), capabilities()), before);
    }

    #[test]
    fn an_id_that_means_no_change_is_refused() {
        let Some(mut account) = somebody("/".as_ref()) else { return };
        account.uid = Uid::from_raw(u32::MAX);
        assert_eq!(std::thread::spawn(move || account.take_on_rights()).join().unwrap(), Err(Errno::EINVAL));
    }

    #[test]
    fn root_is_in_the_user_database() {
        let root = Account::find("root").unwrap();
        assert!(root.uid.is_root());
        assert!(root.groups.contains(&root.gid));
        assert!(root.home.starts_with(b"/"));
    }
}
