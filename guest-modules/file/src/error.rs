//! What the client reads when a handle did not do.

use crate::bindings::bulkhead::agent::files::HandleError;
use bulkhead_module::CommandError;

/// `what` failed on `handle`: "failed to read file".
pub fn failed(what: &str, handle: i64, error: HandleError) -> CommandError {
    match error {
        HandleError::UnknownHandle => CommandError::generic(format!("handle '{handle}' has not been found")),
        HandleError::Failed(code) => CommandError::generic(format!("{what}: {}", code.text())),
    }
}
