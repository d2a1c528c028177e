//! Whether standard error is the journal of systemd.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;

/// Whether standard error is the stream that `named`, the variable `JOURNAL_STREAM`, tells of: systemd names there the device and
/// the inode of the connection to the journal (systemd.exec(5)). A program that was started with another standard error inherits
/// the variable too.
pub fn is_standard_error(named: Option<&str>) -> bool {
    let Some((device, inode)) = named.and_then(|named| named.split_once(':')) else { return false };
    let Ok(stream) = io::stderr().as_fd().try_clone_to_owned().map(File::from) else { return false };
    stream.metadata().is_ok_and(|it| (Ok(it.dev()), Ok(it.ino())) == (device.parse(), inode.parse()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variable_must_speak_of_this_very_stream() {
        let stream = File::from(io::stderr().as_fd().try_clone_to_owned().unwrap()).metadata().unwrap();
        let (device, inode) = (stream.dev(), stream.ino());
        assert!(is_standard_error(Some(&format!("{device}:{inode}"))));
        for other in [format!("{device}:{}", inode + 1), format!("{}:{inode}", device + 1), "x:y".into(), String::new()]
        {
            assert!(!is_standard_error(Some(&other)), "{other}");
        }
        assert!(!is_standard_error(None));
    }
}
