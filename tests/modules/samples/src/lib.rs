//! What the samples share: a command that answers, and misbehaves on demand. `tests/modules` has the manifests.

use bulkhead_module::{CommandError, FromArguments, Members};

/// The arguments of `__com.example_answer`.
#[derive(Debug)]
pub struct How(Option<String>);

impl FromArguments for How {
    fn from_arguments(members: &mut Members) -> Result<Self, CommandError> {
        Ok(How(members.optional("how")?))
    }
}

impl How {
    /// Answers with `number`, or traps, or spins, as the client wishes.
    #[expect(clippy::panic, reason = "it is asked to")]
    pub fn answer(&self, number: i64) -> Result<i64, CommandError> {
        match self.0.as_deref() {
            Some("trap") => panic!("it was asked to trap"),
            Some("spin") => loop {
                std::hint::spin_loop();
            },
            _ => Ok(number),
        }
    }
}
