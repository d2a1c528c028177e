//! `guest-info`: what this agent can do.

use crate::bindings::bulkhead::agent::agent;
use crate::schema::{GuestAgentCommandInfo, GuestAgentInfo, GuestInfoArguments};
use bulkhead_module::CommandError;

/// Lists every command. qemu-ga lists them from last to first; some clients compare whole entries, so each has
/// exactly the schema's three members.
pub fn info(_: GuestInfoArguments) -> Result<GuestAgentInfo, CommandError> {
    let entry = |command: agent::CommandInfo| GuestAgentCommandInfo {
        name: command.name,
        enabled: command.enabled,
        success_response: command.success_response,
    };
    let supported_commands = agent::commands().into_iter().rev().map(entry).collect();
    Ok(GuestAgentInfo { version: agent::version(), supported_commands })
}
