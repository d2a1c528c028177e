//! How much the agent may write: the options that say so, and how their values are written.

use crate::config::Config;

/// What the value of `option` must be, for errors.
pub(crate) fn form(option: &str) -> &'static str {
    if option.ends_with("log-rate") { "a number of lines" } else { "a number, or a size such as 64MiB" }
}

impl Config {
    /// The options that bound what is written, and what they say.
    pub(crate) fn bounds(&self) -> [(&'static str, Option<u64>); 4] {
        let Config { audit_size, audit_rate, log_size, log_rate, .. } = self;
        [("audit-size", *audit_size), ("audit-rate", *audit_rate), ("log-size", *log_size), ("log-rate", *log_rate)]
    }

    /// Sets one of them; false if the text is not a value for it.
    pub(crate) fn set_bound(&mut self, option: &str, text: &str) -> bool {
        let text = text.trim_ascii_end();
        let (bound, value) = match option {
            "audit-size" => (&mut self.audit_size, size(text)),
            "audit-rate" => (&mut self.audit_rate, size(text)),
            "log-size" => (&mut self.log_size, size(text)),
            // Lines and not bytes.
            "log-rate" => (&mut self.log_rate, text.parse::<u32>().ok().map(u64::from)),
            _ => return false,
        };
        *bound = value;
        value.is_some()
    }
}

/// Bytes: a number with `KiB`, `MiB` or `GiB` behind it, or alone.
fn size(text: &str) -> Option<u64> {
    let end = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let unit: u64 = match unit {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_bytes_unless_they_have_a_unit() {
        let sizes = ["0", "7", "7B", "64KiB", "3MiB", "1GiB"].map(|text| size(text).unwrap());
        assert_eq!(sizes, [0, 7, 7, 64 << 10, 3 << 20, 1 << 30]);
        for wrong in ["", "MiB", "-1", "1MB", "1.5MiB", "1 MiB", "99999999999GiB", "99999999999999999999"] {
            assert_eq!(size(wrong), None, "{wrong}");
        }
        let mut config = Config::default();
        assert!(config.set_bound("log-rate", "120 ") && !config.set_bound("log-rate", "1KiB"));
    }
}
