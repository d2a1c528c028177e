//! `guest-get-osinfo`: which operating system this is.

use crate::bindings::bulkhead::agent::identity::{self, Kernel, Variable};
use crate::os_release::OsRelease;
use crate::schema::{GuestGetOsinfoArguments, GuestOSInfo};
use crate::system;
use bulkhead_module::{CommandError, ErrorCode, log};

/// Where os-release is, os-release(5): the owner's comes before the distribution's.
const FILES: [&str; 2] = ["/etc/os-release", "/usr/lib/os-release"];

/// Tells what the kernel and os-release say.
pub fn osinfo(_: GuestGetOsinfoArguments) -> Result<GuestOSInfo, CommandError> {
    let named = identity::environment(Variable::OsRelease).map(|path| system::text(&path));
    Ok(report(identity::uname(), &OsRelease::new(&release(named, system::read))))
}

/// The text of the file that the owner named, else of the first that can be read. Without one nothing is known but the kernel.
fn release(named: Option<String>, read: impl Fn(&str) -> Result<Vec<u8>, ErrorCode>) -> Vec<u8> {
    let files = named.map_or_else(|| FILES.map(str::to_owned).to_vec(), |path| vec![path]);
    let read = |path: &String| match read(path) {
        Ok(text) => Some(text),
        Err(code) => {
            if code != ErrorCode::NoEntry {
                log::warning(&format!("{path} cannot be read: {}", code.text()));
            }
            None
        }
    };
    files.iter().find_map(read).unwrap_or_default()
}

fn report(kernel: Kernel, release: &OsRelease<'_>) -> GuestOSInfo {
    GuestOSInfo {
        kernel_release: Some(system::text(&kernel.release)),
        kernel_version: Some(system::text(&kernel.version)),
        machine: Some(system::text(&kernel.machine)),
        id: release.get("ID"),
        name: release.get("NAME"),
        pretty_name: release.get("PRETTY_NAME"),
        version: release.get("VERSION"),
        version_id: release.get("VERSION_ID"),
        variant: release.get("VARIANT"),
        variant_id: release.get("VARIANT_ID"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(named: Option<&str>, files: &[(&str, &str)]) -> Option<String> {
        let read = |path: &str| match files.iter().find(|(name, _)| *name == path) {
            Some((_, text)) => Ok(text.as_bytes().to_vec()),
            None => Err(ErrorCode::NoEntry),
        };
        OsRelease::new(&release(named.map(str::to_owned), read)).get("ID")
    }

    #[test]
    fn the_owners_file_comes_first() {
        let both = [("/usr/lib/os-release", "ID=vendor"), ("/etc/os-release", "ID=owner")];
        assert_eq!(id(None, &both).as_deref(), Some("owner"));
        assert_eq!(id(None, &both[..1]).as_deref(), Some("vendor"));
        assert_eq!(id(None, &[]), None);
    }

    #[test]
    fn a_named_file_is_the_only_one() {
        let files = [("/etc/os-release", "ID=owner"), ("/etc/alt", "ID=alt")];
        assert_eq!(id(Some("/etc/alt"), &files).as_deref(), Some("alt"));
        assert_eq!(id(Some("/etc/none"), &files), None);
    }

    #[test]
    fn each_member_has_its_source() {
        let kernel = Kernel {
            host_name: b"vm".to_vec(),
            release: b"6.1".to_vec(),
            version: b"#1 \xFF".to_vec(),
            machine: b"x86_64".to_vec(),
        };
        let release = OsRelease::new(b"VARIANT=v\nVARIANT_ID=vi\nVERSION=r\nVERSION_ID=ri\nPRETTY_NAME=p\n");
        let info = report(kernel, &release);
        assert_eq!(info.kernel_release.as_deref(), Some("6.1"));
        assert_eq!(info.kernel_version.as_deref(), Some("#1 \u{FFFD}"));
        assert_eq!(info.machine.as_deref(), Some("x86_64"));
        assert_eq!((info.variant.as_deref(), info.variant_id.as_deref()), (Some("v"), Some("vi")));
        assert_eq!((info.version.as_deref(), info.version_id.as_deref()), (Some("r"), Some("ri")));
        assert_eq!((&info.id, &info.name, info.pretty_name.as_deref()), (&None, &None, Some("p")));
        system::assert_fits("guest-get-osinfo", info);
    }
}
