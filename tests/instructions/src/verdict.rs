//! What was measured beside what was accepted.

use std::fmt;

/// How much above its baseline a case may be, in percent. The compiler and its version are fixed; this is for other versions
/// of the C library, and for small changes of no meaning, so that nobody gets used to accepting.
pub const MOST_ABOVE: u64 = 10;

/// How much below its baseline a case may be before the baseline is too high to guard anything, in percent.
pub const MOST_BELOW: u64 = 20;

/// What is said of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As it was, about.
    Fine,
    /// More than it may.
    Above,
    /// Much less: the baseline should follow.
    Below,
    /// Nothing to compare with.
    Unknown,
}

impl Verdict {
    /// Of a case that needed `measured` instructions.
    pub fn of(baseline: Option<u64>, measured: u64) -> Self {
        let Some(baseline) = baseline else { return Verdict::Unknown };
        match measured * 100 {
            percent if percent > baseline * (100 + MOST_ABOVE) => Verdict::Above,
            percent if percent < baseline * (100 - MOST_BELOW) => Verdict::Below,
            _ => Verdict::Fine,
        }
    }

    /// Whether it makes the step fail.
    pub fn is_failure(self) -> bool {
        matches!(self, Verdict::Above | Verdict::Unknown)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Verdict::Fine => Ok(()),
            Verdict::Above => write!(to, "FAILED: over {MOST_ABOVE} % above its baseline"),
            Verdict::Below => write!(to, "warning: over {MOST_BELOW} % below, the baseline should be lowered"),
            Verdict::Unknown => write!(to, "FAILED: it has no baseline"),
        }
    }
}

/// The change in percent, with its sign.
pub fn change(baseline: u64, measured: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "for the eye")]
    let ratio = measured as f64 / baseline.max(1) as f64;
    format!("{:+.1} %", (ratio - 1.0) * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenth_more_and_a_fifth_less_are_let_pass() {
        assert_eq!(Verdict::of(Some(1000), 1100), Verdict::Fine);
        assert_eq!(Verdict::of(Some(1000), 1101), Verdict::Above);
        assert_eq!(Verdict::of(Some(1000), 800), Verdict::Fine);
        assert_eq!(Verdict::of(Some(1000), 799), Verdict::Below);
        assert!(Verdict::Above.is_failure() && Verdict::Unknown.is_failure() && !Verdict::Below.is_failure());
    }

    #[test]
    fn what_has_no_baseline_cannot_be_judged() {
        assert_eq!(Verdict::of(None, 1), Verdict::Unknown);
        assert_eq!(Verdict::of(Some(0), 1), Verdict::Above);
    }

    #[test]
    fn a_change_has_a_sign() {
        assert_eq!(change(1000, 1234), "+23.4 %");
        assert_eq!(change(1000, 900), "-10.0 %");
    }
}
