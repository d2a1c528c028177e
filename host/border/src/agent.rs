//! `agent`: what the agent knows of itself.

use crate::{Errno, Refusal};

/// A command, as guest-info lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandInfo {
    /// Its name.
    pub name: String,
    /// Whether it would run if it came now.
    pub enabled: bool,
    /// Whether success is answered at all.
    pub success_response: bool,
}

interface! {
    /// What the agent knows of itself.
    Agent {
        /// Whether the module may ask for it at all.
        fn tell() -> Result<(), Refusal<Errno>>;

        /// The commands that there are.
        fn commands() -> Result<Vec<CommandInfo>, Refusal<Errno>>;
    }
}
