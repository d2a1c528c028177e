//! `guest-get-vcpus`: which processors the VM has.

use crate::figures::figure;
use crate::schema::{GuestGetVcpusArguments, GuestLogicalProcessor};
use crate::system;
use bulkhead_module::{CommandError, ErrorCode};

const FOLDER: &str = "/sys/devices/system/cpu";

/// Lists them, in the folder's order.
pub fn vcpus(_: GuestGetVcpusArguments) -> Result<Vec<GuestLogicalProcessor>, CommandError> {
    let names = system::entries(FOLDER)
        .map_err(|code| CommandError::generic(format!("failed to list entries: {FOLDER}: {}", code.text())))?;
    select(&names, system::read)
}

fn select(
    names: &[String],
    read: impl Fn(&str) -> Result<Vec<u8>, ErrorCode>,
) -> Result<Vec<GuestLogicalProcessor>, CommandError> {
    let processors = names.iter().filter_map(|name| Some((name, number(name)?)));
    let all = processors.map(|(name, logical_id)| {
        let folder = format!("{FOLDER}/{name}/");
        let (online, can_offline) = state(&folder, read(&format!("{folder}online")))?;
        Ok(GuestLogicalProcessor { logical_id, online, can_offline: Some(can_offline) })
    });
    let all: Vec<_> = all.collect::<Result<_, CommandError>>()?;
    if all.is_empty() { Err(CommandError::generic("guest reported zero VCPUs!")) } else { Ok(all) }
}

/// `cpu` and a number; the folder has other things, too.
fn number(name: &str) -> Option<i64> {
    i64::try_from(figure(name.strip_prefix("cpu")?)?).ok()
}

/// Whether the processor is in use, and whether it can be taken out of use: without the file it cannot.
fn state(folder: &str, online: Result<Vec<u8>, ErrorCode>) -> Result<(bool, bool), CommandError> {
    match online {
        Ok(text) => match text.first() {
            Some(digit) => Ok((*digit != b'0', true)),
            None => Err(CommandError::generic(format!("pread(\"{folder}/online\"): unexpected EOF"))),
        },
        Err(ErrorCode::NoEntry) => Ok((true, false)),
        Err(code) => Err(CommandError::generic(format!("Could not open '{folder}': {}", code.text()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selected(files: &[(&str, Result<&str, ErrorCode>)]) -> Result<Vec<(i64, bool, bool)>, String> {
        let names: Vec<_> = files.iter().map(|(name, _)| (*name).to_owned()).collect();
        let read = |path: &str| {
            let (_, text) = files.iter().find(|(name, _)| path == format!("{FOLDER}/{name}/online")).unwrap();
            text.map(|text| text.as_bytes().to_vec())
        };
        let plain = |cpu: GuestLogicalProcessor| (cpu.logical_id, cpu.online, cpu.can_offline.unwrap());
        select(&names, read).map(|all| all.into_iter().map(plain).collect()).map_err(|error| error.desc)
    }

    #[test]
    fn the_first_processor_often_cannot_be_taken_out_of_use() {
        let files = [("cpu2", Ok("0\n")), ("cpu1", Ok("1\n")), ("cpu0", Err(ErrorCode::NoEntry))];
        assert_eq!(selected(&files), Ok(vec![(2, false, true), (1, true, true), (0, true, false)]));
    }

    #[test]
    fn other_folders_are_no_processors() {
        let other = Err(ErrorCode::Io);
        let files = [
            ("cpu0", Ok("1\n")),
            ("cpufreq", other),
            ("cpu", other),
            ("cpu-1", other),
            ("cpu1x", other),
            ("xcpu1", other),
            ("cpu99999999999999999999", other),
        ];
        assert_eq!(selected(&files), Ok(vec![(0, true, true)]));
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        let desc = |files| selected(files).unwrap_err();
        assert_eq!(desc(&[("cpu7", Ok(""))]), "pread(\"/sys/devices/system/cpu/cpu7//online\"): unexpected EOF");
        assert_eq!(
            desc(&[("cpu7", Err(ErrorCode::NotDirectory))]),
            "Could not open '/sys/devices/system/cpu/cpu7/': Not a directory"
        );
        assert_eq!(desc(&[]), "guest reported zero VCPUs!");
    }
}
