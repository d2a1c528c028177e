//! The user as whom a program runs.

use super::super::accounts::{self, Account};
use crate::KeysError;
use nix::errno::Errno;
use nix::libc;
use nix::unistd::{Uid, getresuid};

/// Where a user's programs are, as login(1) has it; and root's.
const USERS_PATH: &[u8] = b"PATH=/usr/local/bin:/usr/bin:/bin";
const ROOTS_PATH: &[u8] = b"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What variables of the agent's begin with that a user's program is given.
const HANDED_DOWN: &[&[u8]] = &[b"LANG=", b"LANGUAGE=", b"LC_", b"TZ="];

/// A user, ready to be taken on.
#[derive(Debug)]
pub(super) struct User {
    rights: Rights,
    /// What a login would set, as NAME=VALUE.
    variables: Vec<Vec<u8>>,
}

/// The ids of a user.
#[derive(Debug)]
pub(super) struct Rights {
    uid: libc::uid_t,
    gid: libc::gid_t,
    groups: Vec<libc::gid_t>,
}

impl User {
    /// Looks the user up; `EPERM` if there is none, for the program must not run as anybody else.
    pub(super) fn find(name: &str) -> Result<Self, Errno> {
        let account = accounts::find(name).map_err(|error| match error {
            KeysError::NoUser => Errno::EPERM,
            KeysError::NotLookedUp(errno) | KeysError::NotUser(errno) => errno,
            _ => Errno::ETIMEDOUT,
        })?;
        Self::of(name, account)
    }

    fn of(name: &str, account: Account) -> Result<Self, Errno> {
        let rights = Rights {
            uid: account.uid.as_raw(),
            gid: account.gid.as_raw(),
            groups: account.groups.iter().map(|group| group.as_raw()).collect(),
        };
        // As an id -1 means: leave it as it is.
        if rights.uid == u32::MAX || rights.gid == u32::MAX {
            return Err(Errno::EPERM);
        }
        let shell = if account.shell.is_empty() { b"/bin/sh".to_vec() } else { account.shell };
        let name = name.as_bytes().to_vec();
        let values = [("HOME=", account.home), ("USER=", name.clone()), ("LOGNAME=", name), ("SHELL=", shell)];
        let variables = values.into_iter().map(|(name, value)| [name.as_bytes(), &value].concat()).collect();
        Ok(User { rights, variables })
    }

    /// What has to be taken on: nothing if the agent is that user already and nobody else.
    pub(super) fn rights(&self) -> Option<&Rights> {
        let uid = Uid::from_raw(self.rights.uid);
        let is_it = getresuid().is_ok_and(|ids| [ids.real, ids.effective, ids.saved] == [uid; 3]);
        (uid.is_root() || !is_it).then_some(&self.rights)
    }

    /// Adds the user's variables to those that the client has set, and does not replace one of them.
    pub(super) fn complete(&self, mut environment: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
        for variable in &self.variables {
            let name = variable.split_inclusive(|byte| *byte == b'=').next().unwrap_or_default();
            if !environment.iter().any(|other| other.starts_with(name)) {
                environment.push(variable.clone());
            }
        }
        environment
    }

    /// The whole environment of a program for which the client has set none: the user's variables, where programs are, and of
    /// the agent's own what tells of language and time zone. What else the agent has is its owner's, not the user's.
    pub(super) fn environment(&self, own: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
        let path = if self.rights.uid == 0 { ROOTS_PATH } else { USERS_PATH };
        let told = own.into_iter().filter(|variable| HANDED_DOWN.iter().any(|name| variable.starts_with(name)));
        let environment = std::iter::once(path.to_vec()).chain(told).collect();
        self.complete(environment)
    }
}

impl Rights {
    /// Makes this thread the user for good: real, effective and saved ids, all groups, and no capabilities. There is no way
    /// back.
    ///
    /// To be called between clone(2) and execveat(2): it takes no memory, and its system calls go past the C library, whose
    /// functions would want to change all threads of the agent.
    pub(super) fn take_on(&self) -> Result<(), Errno> {
        let (uid, gid) = (self.uid, self.gid);
        // SAFETY: the kernel reads `groups.len()` ids from the vector, which lives until the call is over.
        #[expect(unsafe_code, reason = "setgroups(2) of this thread alone")]
        Errno::result(unsafe { libc::syscall(libc::SYS_setgroups, self.groups.len(), self.groups.as_ptr()) })?;
        // SAFETY: three numbers; no memory is touched.
        #[expect(unsafe_code, reason = "setresgid(2) of this thread alone")]
        Errno::result(unsafe { libc::syscall(libc::SYS_setresgid, gid, gid, gid) })?;
        // SAFETY: three numbers; no memory is touched.
        #[expect(unsafe_code, reason = "setresuid(2) of this thread alone")]
        Errno::result(unsafe { libc::syscall(libc::SYS_setresuid, uid, uid, uid) })?;
        if uid == 0 { Ok(()) } else { drop_capabilities() }
    }
}

/// The kernel takes them from who was root; an agent that is not root may have been given some, and hand them down.
fn drop_capabilities() -> Result<(), Errno> {
    /// `_LINUX_CAPABILITY_VERSION_3`: three sets of two words.
    const VERSION: u32 = 0x2008_0522;
    /// As process id: this thread.
    const SELF: u32 = 0;
    let (mut header, none) = ([VERSION, SELF], [0_u32; 6]);
    // SAFETY: the kernel reads a header of two words, whose first it may write, and, as this version has it, six words;
    // both live until the call is over.
    #[expect(unsafe_code, reason = "capset(2), for which there is no safe function")]
    Errno::result(unsafe { libc::syscall(libc::SYS_capset, header.as_mut_ptr(), none.as_ptr()) }).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::unistd::Gid;

    fn alice() -> Account {
        let groups = vec![Gid::from_raw(1000)];
        let (home, shell) = (b"/home/alice".to_vec(), Vec::new());
        Account { uid: Uid::from_raw(1000), gid: Gid::from_raw(1000), groups, home, shell }
    }

    fn list(words: &[&str]) -> Vec<Vec<u8>> {
        words.iter().map(|word| word.as_bytes().to_vec()).collect()
    }

    #[test]
    fn what_the_client_has_set_stays_and_what_is_the_agents_does_not() {
        let all = ["HOME=/home/alice", "USER=alice", "LOGNAME=alice", "SHELL=/bin/sh"];
        let user = User::of("alice", alice()).unwrap();
        assert_eq!(user.complete(Vec::new()), list(&all));
        let client = ["HOME=/tmp", "HOMEPAGE=x", "USER"];
        assert_eq!(user.complete(list(&client)), list(&[&client[..], &all[1..]].concat()));
        let own = ["HOME=/root", "PATH=/opt/bin", "LANG=C.UTF-8", "SECRET=x", "LC_ALL=C", "TZ=UTC", "LD_PRELOAD=/x"];
        let kept = ["PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8", "LC_ALL=C", "TZ=UTC"];
        assert_eq!(user.environment(list(&own)), list(&[&kept[..], &all].concat()));
        let root = User::of("root", Account { uid: Uid::from_raw(0), ..alice() }).unwrap();
        assert!(root.environment(Vec::new())[0].starts_with(b"PATH=/usr/local/sbin:"));
    }

    #[test]
    fn nobody_is_no_user() {
        let unknown = Account { uid: Uid::from_raw(u32::MAX), ..alice() };
        assert_eq!(User::of("alice", unknown).err(), Some(Errno::EPERM));
        let mut found = Some(Errno::ETIMEDOUT);
        // Another test makes the user database seem to hang.
        while found == Some(Errno::ETIMEDOUT) {
            found = User::find("no-such-user").err();
        }
        assert_eq!(found, Some(Errno::EPERM));
    }
}
