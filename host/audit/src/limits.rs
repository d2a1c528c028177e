//! How much of the owner's disk the audit may take.

/// What the owner sets. 0 is without a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How long the file may grow, in bytes. Then it is moved to the same name with `.old` behind it, in the place of the one
    /// that was there, and a new one is begun: the audit takes twice as much of the disk at the most. It bounds an audit that nobody
    /// rotates; whoever rotates it earlier meets it never.
    pub size: u64,
    /// How many bytes of lines may come in a minute, of each kind; of those of commands that act or move files four times as
    /// many; and of each at once what would have come in sixteen minutes. It bounds what a client can write that does nothing
    /// but write, and how soon it would push out of both files what was there before. An honest client asks for some hundred
    /// things in a minute, half a kilobyte each.
    pub rate: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { size: 64 << 20, rate: 256 << 10 }
    }
}
