//! Whether a component is valid, and made of nothing but the WebAssembly that the agent runs.

use bulkhead_engine::wasmparser::{BinaryReaderError, Validator, WasmFeatures};
use bulkhead_engine::{FEATURES, REFUSED};
use thiserror::Error;

/// Why it is not.
#[derive(Debug, Error)]
pub(crate) enum ProposalError {
    /// Nobody could run it.
    #[error("it is not a valid component: {} (at byte {})", .0.message(), .0.offset())]
    Invalid(BinaryReaderError),
    /// Others can.
    #[error("it uses WebAssembly that this agent does not run: {0}; build it without")]
    Refused(String),
}

/// Checks it, as the engine will.
pub(crate) fn check(bytes: &[u8]) -> Result<(), ProposalError> {
    let Err(error) = validate(bytes, FEATURES) else { return Ok(()) };
    let refused = refused(bytes);
    Err(if refused.is_empty() { ProposalError::Invalid(error) } else { ProposalError::Refused(refused.join(", ")) })
}

/// What a component uses that is switched off: all without which it would not be valid. None if it is not valid at all.
fn refused(bytes: &[u8]) -> Vec<&'static str> {
    let mut needed = WasmFeatures::all();
    if validate(bytes, needed).is_err() {
        return Vec::new();
    }
    let mut names = Vec::new();
    for (feature, called) in REFUSED {
        let without = needed.difference(*feature);
        match validate(bytes, without) {
            Ok(()) => needed = without,
            Err(_) => names.push(*called),
        }
    }
    names
}

fn validate(bytes: &[u8], features: WasmFeatures) -> Result<(), BinaryReaderError> {
    Validator::new_with_features(features).validate_all(bytes).map(drop)
}

#[cfg(test)]
mod tests;
