//! `--dump-conf`: the settings as a configuration file.

use std::path::Path;

use crate::{config::Config, key_file::KeyFile, load::GROUP};

/// The settings as a configuration file, in the order and the spelling of `qemu-ga -D`, so that scripts which compare
/// or edit its output go on working. Reading the result back gives the same settings.
///
/// The path is the one that would be used, so it is there even if it was not given. Each list comes out in the
/// reversed order in which [`Config`] keeps it; reading it back reverses it again, which changes nothing that matters.
/// What `qemu-ga` does not know comes last, and only if it is set.
pub fn dump(config: &Config) -> String {
    let mut file = KeyFile::default();
    let mut set = |key: &str, value: &str| file.set(GROUP, key, value);

    set("daemon", boolean(config.daemonize));
    set("method", &config.method_name);
    // Missing only when a listening socket was passed at start, which takes the place of method and path.
    if let Ok(path) = config.channel_path() {
        set("path", path);
    }
    if let Some(logfile) = &config.logfile {
        set("logfile", &text(logfile));
    }
    set("pidfile", &text(&config.pidfile));
    if let Some(hook) = &config.fsfreeze_hook {
        set("fsfreeze-hook", &text(hook));
    }
    set("statedir", &text(&config.statedir));
    set("verbose", boolean(config.verbose));
    set("retry-path", boolean(config.retry_path));
    set("block-rpcs", &config.block_rpcs.join(","));
    set("allow-rpcs", &config.allow_rpcs.join(","));
    if let Some(policy) = &config.policy {
        set("policy", &text(policy));
    }
    if let Some(folder) = &config.module_store {
        set("module-store", &text(folder));
    }
    if let Some(file) = &config.audit_file {
        set("audit-file", &text(file));
    }
    if config.audit_journal {
        set("audit-journal", boolean(true));
    }
    for (option, value) in config.bounds() {
        if let Some(value) = value {
            set(option, &value.to_string());
        }
    }
    if let Some(peers) = &config.vsock_peers {
        set("vsock-peers", &peers.to_string());
    }
    file.to_string()
}

fn boolean(value: bool) -> &'static str {
    if value { "true" } else { "false" }
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peers::VsockPeers;

    #[test]
    fn optional_files_are_left_out_unless_set() {
        let plain = dump(&Config::default());
        assert!(!plain.contains("logfile") && !plain.contains("fsfreeze-hook"), "{plain}");
        assert!(plain.ends_with("\nallow-rpcs=\n"), "nothing that qemu-ga does not know: {plain}");
        let full =
            dump(&Config { logfile: Some("/log".into()), fsfreeze_hook: Some("/hook".into()), ..Config::default() });
        assert!(
            full.contains("\nlogfile=/log\npidfile=/var/run/qemu-ga.pid\nfsfreeze-hook=/hook\nstatedir="),
            "{full}"
        );
        let ours = Config {
            policy: Some("/p".into()),
            module_store: Some("/m".into()),
            audit_file: Some("/a".into()),
            audit_journal: true,
            audit_size: Some(1),
            audit_rate: Some(2),
            log_size: Some(3),
            log_rate: Some(0),
            vsock_peers: Some(VsockPeers::These(vec![2, 3])),
            ..Config::default()
        };
        let ours = dump(&ours);
        assert!(
            ours.ends_with(
                "\nallow-rpcs=\npolicy=/p\nmodule-store=/m\naudit-file=/a\naudit-journal=true\naudit-size=1\naudit-rate=2\n\
                 log-size=3\nlog-rate=0\nvsock-peers=2,3\n"
            ),
            "{ours}"
        );
    }

    #[test]
    fn values_are_escaped_so_that_they_can_be_read_back() {
        let path = "  two leading spaces, a tab\t, a line\nbreak and a back\\slash ";
        let text = dump(&Config { path: Some(path.to_owned()), ..Config::default() });
        assert!(
            text.contains("\npath=\\s\\stwo leading spaces, a tab\t, a line\\nbreak and a back\\\\slash \n"),
            "{text}"
        );
        assert_eq!(KeyFile::parse(&text).unwrap().get(GROUP, "path").unwrap(), Some(path));
    }

    #[test]
    fn a_passed_socket_needs_no_path() {
        let text = dump(&Config { method_name: "unix-listen".to_owned(), ..Config::default() });
        assert!(text.contains("method=unix-listen\npidfile="), "{text}");
    }
}
