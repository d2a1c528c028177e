//! The sessions of logind, as its library reads them (sd-login(3)): a file for each in /run/systemd/sessions.

use crate::figures::figure;
use crate::system;
use crate::utmp::Login;

/// Where the files are; elogind has them there, too.
const FOLDER: &str = "/run/systemd/sessions";

/// The classes of sessions in which somebody is logged in; see pam_systemd(8). The others are login screens, screen locks,
/// timed jobs and the managers of users' services, and logins that are not complete.
const OF_PEOPLE: [&[u8]; 4] = [b"user", b"user-early", b"user-light", b"user-early-light"];

/// The logins of users, the earliest first.
pub fn logins() -> Vec<Login> {
    let names = system::entries(FOLDER).unwrap_or_default();
    // Beside each file there may be a FIFO, NAME.ref, by which logind sees the session end.
    let files = names.iter().filter(|name| !name.ends_with(".ref"));
    let texts = files.filter_map(|name| system::read(&format!("{FOLDER}/{name}")).ok());
    in_order(texts.filter_map(|text| login(&text)))
}

fn in_order(logins: impl Iterator<Item = Login>) -> Vec<Login> {
    let mut logins: Vec<Login> = logins.collect();
    logins.sort_by(|one, other| one.time.total_cmp(&other.time));
    logins
}

/// The login that a session's file tells of. A session that is closing is over: its user has logged out, and programs are
/// left.
fn login(text: &[u8]) -> Option<Login> {
    let is_over = value(text, b"STATE") == Some(b"closing");
    let class = value(text, b"CLASS")?;
    if is_over || !OF_PEOPLE.contains(&class) {
        return None;
    }
    let user = value(text, b"USER").filter(|user| !user.is_empty())?;
    let microseconds = figure(str::from_utf8(value(text, b"REALTIME")?).ok()?)?;
    Some(Login { user: system::text(user), time: microseconds as f64 / 1e6 })
}

/// What stands behind `NAME=` at the beginning of a line.
fn value<'a>(text: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    system::lines(text).find_map(|line| line.strip_prefix(name)?.strip_prefix(b"="))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As logind 257 writes it for a login over ssh.
    const FILE: &str = "# This is private data. Do not parse.\nUID=1000\nUSER=alice\nACTIVE=1\nIS_DISPLAY=1\nSTATE=active\n\
                        REMOTE=1\nLEADER_FD_SAVED=1\nTYPE=tty\nORIGINAL_TYPE=tty\nCLASS=user\nSCOPE=session-2.scope\n\
                        FIFO=/run/systemd/sessions/2.ref\nREMOTE_HOST=192.0.2.1\nSERVICE=sshd\nLEADER=512\nAUDIT=2\n\
                        REALTIME=1795965174250000\nMONOTONIC=11724893\n";

    fn found(text: &str) -> Option<(String, f64)> {
        login(text.as_bytes()).map(|login| (login.user, login.time))
    }

    #[test]
    fn who_is_logged_in_has_a_name_and_a_time() {
        assert_eq!(found(FILE), Some(("alice".to_owned(), 1_795_965_174.25)));
        for missing in ["USER=alice", "CLASS=user", "REALTIME=1795965174250000"] {
            assert_eq!(found(&FILE.replace(missing, "")), None, "{missing}");
        }
        assert_eq!(found(&FILE.replace("alice", "")), None);
        assert_eq!(found(&FILE.replace("1795965174250000", "soon")), None);
    }

    #[test]
    fn only_sessions_of_people_count() {
        for (class, counts) in [
            ("user", true),
            ("user-early", true),
            ("user-light", true),
            ("user-early-light", true),
            ("user-incomplete", false),
            ("greeter", false),
            ("lock-screen", false),
            ("background", false),
            ("background-light", false),
            ("manager", false),
            ("manager-early", false),
            ("none", false),
            ("", false),
        ] {
            assert_eq!(found(&FILE.replace("CLASS=user", &format!("CLASS={class}"))).is_some(), counts, "{class}");
        }
    }

    #[test]
    fn who_has_logged_out_does_not_count() {
        for (state, counts) in [("online", true), ("opening", true), ("closing", false)] {
            assert_eq!(found(&FILE.replace("=active", &format!("={state}"))).is_some(), counts, "{state}");
        }
    }

    #[test]
    fn the_earliest_comes_first() {
        let later = FILE.replace("alice", "bob").replace("=1795", "=1895");
        let logins = [&later, FILE].into_iter().filter_map(|text| login(text.as_bytes()));
        let users: Vec<_> = in_order(logins).into_iter().map(|login| login.user).collect();
        assert_eq!(users, ["alice", "bob"]);
    }

    #[test]
    fn hostile_files_give_a_login_or_none() {
        for text in system::hostile(FILE.as_bytes()) {
            assert!(login(&text).is_none_or(|login| login.time.is_finite() && login.time >= 0.0));
        }
    }
}
