//! Time zones: what clocks show in a place. Both forms in which a system describes one are read here rather than by a
//! library: those that were looked at are larger by far, or trust the sizes in a file where the compartment has 32 bits.

pub mod calendar;
pub mod posix;
pub mod tzif;

/// What clocks show for a part of the year, or for years.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Local {
    /// The abbreviation, such as CET, if it has one that can be shown.
    pub abbreviation: Option<String>,
    /// How far ahead of UTC, in seconds; negative to the west.
    pub offset: i64,
}
