//! Socket activation: a listening socket handed over at start, as `systemd` and `systemd-socket-activate` do.

use std::{ffi::OsString, process, str::FromStr};

/// How many sockets were passed to this process: descriptor 3 and the ones after it.
///
/// `LISTEN_FDS` counts only when `LISTEN_PID` is this process: both variables are inherited by every child, which was
/// passed nothing (`sd_listen_fds(3)`). With a passed socket neither method nor path is used, and more than one is for
/// the caller to refuse.
pub fn passed_sockets(env: impl Fn(&str) -> Option<OsString>) -> u32 {
    if number(env("LISTEN_PID")) == Some(process::id()) { number(env("LISTEN_FDS")).unwrap_or(0) } else { 0 }
}

fn number<N: FromStr>(variable: Option<OsString>) -> Option<N> {
    variable?.to_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passed(pid: &str, fds: &str) -> u32 {
        passed_sockets(|name| match name {
            "LISTEN_PID" => Some(pid.into()),
            "LISTEN_FDS" => Some(fds.into()),
            _ => None,
        })
    }

    #[test]
    fn only_sockets_passed_to_this_very_process_count() {
        let own = process::id().to_string();
        assert_eq!(passed(&own, "2"), 2);
        assert_eq!(passed(&own, "many"), 0);
        assert_eq!(passed("1", "2"), 0);
        assert_eq!(passed("", "2"), 0);
        assert_eq!(passed_sockets(|_| None), 0);
    }
}
