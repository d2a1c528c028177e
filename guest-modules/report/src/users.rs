//! `guest-get-users`: who is logged in.

use crate::bindings::bulkhead::agent::identity;
use crate::schema::{GuestGetUsersArguments, GuestUser};
use crate::sessions;
use crate::system;
use crate::utmp::{self, Layout, Login};
use bulkhead_module::CommandError;
use std::collections::HashMap;

/// Lists the users by utmp(5), as qemu-ga does; where nobody keeps it, as in Debian 13, by logind. Never by both: a login
/// that stands in both has two times, and one that only logind knows is none by the rules of a system that keeps utmp, such
/// as that of a program run over ssh. Systems that keep neither have nobody logged in.
pub fn users(_: GuestGetUsersArguments) -> Result<Vec<GuestUser>, CommandError> {
    let records = system::read("/var/run/utmp").unwrap_or_default();
    let layout = Layout::of(&identity::uname().machine);
    Ok(if utmp::is_kept(&records, layout) {
        select(utmp::logins(&records, layout))
    } else {
        select(sessions::logins().into_iter())
    })
}

/// Each user once, with the earliest login, in the order of the first one recorded.
fn select(logins: impl Iterator<Item = Login>) -> Vec<GuestUser> {
    let mut users: Vec<GuestUser> = Vec::new();
    let mut places = HashMap::new();
    for Login { user, time } in logins {
        match places.get(&user) {
            Some(place) => {
                let known: &mut GuestUser = &mut users[*place];
                known.login_time = known.login_time.min(time);
            }
            None => {
                places.insert(user.clone(), users.len());
                users.push(GuestUser { user, login_time: time, domain: None });
            }
        }
    }
    users
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_user_stands_once_with_the_earliest_login() {
        let logins = [("alice", 100.5), ("bob", 50.0), ("alice", 40.0), ("bob", 60.0), ("", 1.0)];
        let logins = logins.into_iter().map(|(user, time)| Login { user: user.to_owned(), time });
        let users = select(logins);
        system::assert_fits("guest-get-users", &users);
        let users: Vec<_> = users.into_iter().map(|user| (user.user, user.login_time)).collect();
        assert_eq!(users, [("alice".to_owned(), 40.0), ("bob".to_owned(), 50.0), (String::new(), 1.0)]);
    }
}
