//! What `--help` prints.

/// The help for a program that was started as `program`: at most 80 columns after the first line.
pub(crate) fn text(program: &str) -> String {
    format!("Usage: {program} [OPTION]...\n{BODY}")
}

const BODY: &str = "\
Answer the requests of a QEMU guest agent client: the agent runs in the virtual
machine, the client (libvirt, Proxmox VE, a script) outside of it.

Channel to the client:
  -m, --method=METHOD     how to open it: virtio-serial, isa-serial, unix-listen
                          or vsock-listen (default: virtio-serial)
  -p, --path=PATH         device or socket to open; CID:PORT for vsock-listen
                          (default for virtio-serial:
                          /dev/virtio-ports/org.qemu.guest_agent.0,
                          for isa-serial: /dev/ttyS0, for the others: none)
      --vsock-peers=LIST  who may connect to a vsock socket: context ids with
                          commas between them, or 'any' (default: 2, the host)
  -r, --retry-path        when PATH is missing or fails, try again every five
                          seconds instead of ending (default: end)

What clients may do:
  -b, --block-rpcs=LIST   refuse these commands (default: none); names with
                          commas between them, or 'help' to print all names and
                          end
  -a, --allow-rpcs=LIST   refuse all commands but these (default: allow all);
                          --block-rpcs is stronger
                          Both may be repeated and add to the configuration.
      --policy=FILE       the owner's policy (default:
                          /etc/bulkhead/policy.toml, if it exists, with the
                          folder policy.d beside it); without one clients may do
                          what the profile 'standard' says, and all that qemu-ga
                          lets them if the agent is started as qemu-ga
      --module-store=DIR  where guest modules are installed (default:
                          /var/lib/bulkhead/modules, if it exists)

Files:
  -c, --config=FILE       configuration to read before all other options
                          (default: the one named by the environment variable
                          QGA_CONF, else /etc/qemu/qemu-ga.conf, if it exists)
  -F, --fsfreeze-hook[=FILE]
                          program to run with 'freeze' before file systems are
                          frozen and with 'thaw' after they are thawed (default:
                          none; without FILE: /etc/qemu/fsfreeze-hook)
                          FILE must be attached: -F/path/to/hook
  -l, --logfile=FILE      append the log to FILE (default: standard error)
  -f, --pidfile=FILE      file for the pid of an agent started with -d (default:
                          /var/run/qemu-ga.pid)
      --audit-file=FILE   append a line for each command to FILE (default: none)
      --audit-journal     send the same lines to the journal of systemd
      --audit-size=SIZE   how long that file may grow; then it is moved to
                          FILE.old (default: 64MiB; here and below 0 is without
                          a limit)
      --audit-rate=SIZE   how much of each kind of line is written in a minute
                          (default: 256KiB)
      --log-size=SIZE     the same for the log's file (default: 16MiB)
      --log-rate=LINES    how many lines of one origin are logged in a minute
                          (default: 120)
  -t, --statedir=DIR      where state survives a restart; an absolute path to an
                          existing directory (default: /var/run)

Running:
  -d, --daemonize         go to the background once the channel is open
  -v, --verbose           log everything, not errors, warnings and notices alone
  -D, --dump-conf         print the settings as a configuration file and end
  -V, --version           print the version and end
  -h, --help              print this help and end

Long options with a letter may be abbreviated. Of an option given twice the last
one counts. Exit status: 0 after a clean end, 1 after any error. See also
bulkhead-agent(8).

The tools of the machine's owner (policy, module, status, audit) are another
program: see bulkhead(8).
";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config, method::Method, options::command};

    #[test]
    fn every_option_is_described() {
        let help = text("bulkhead-agent");
        for option in command().get_arguments() {
            if let Some(long) = option.get_long() {
                let letter = option.get_short().map_or("    ".to_owned(), |short| format!("-{short}, "));
                assert!(help.contains(&format!("  {letter}--{long}")), "--{long}");
            }
        }
    }

    #[test]
    fn the_manual_page_describes_every_option_too() {
        let page = include_str!("../../dist/bulkhead-agent.8");
        for option in command().get_arguments() {
            if let Some(long) = option.get_long() {
                let letter = option.get_short().map(|short| format!("Fl {short} ")).unwrap_or_default();
                let item =
                    |line: &str| line.starts_with(&format!(".It {letter}")) && line.contains(&format!(" Fl Fl {long}"));
                assert!(page.lines().any(item), "--{long}");
            }
        }
    }

    #[test]
    fn every_default_is_the_real_one() {
        let help = text("bulkhead-agent");
        let paths = [Method::VirtioSerial, Method::IsaSerial].map(|method| method.default_path().unwrap());
        let files =
            [config::DEFAULT_CONFIG, config::DEFAULT_FSFREEZE_HOOK, config::DEFAULT_PIDFILE, config::DEFAULT_STATEDIR];
        for default in paths.into_iter().chain(files) {
            assert!(help.contains(default), "{default}");
        }
    }

    #[test]
    fn it_fits_a_terminal() {
        let help = text("qemu-ga");
        assert!(help.starts_with("Usage: qemu-ga "));
        for line in help.lines() {
            assert!(line.len() <= 80 && line.is_ascii() && line.trim_end() == line, "{line}");
        }
    }
}
