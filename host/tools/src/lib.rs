//! The tools of `bulkhead`: what a VM's owner looks at, tries and installs, and what the author of a module works with.
//!
//! ```text
//! bulkhead policy   check, explain, show, diff, suggest, test, reload, schema    policy
//! bulkhead module   install, list, inspect, verify, enable, disable, ...         module
//!                   new, pack, test, run, bench                                  authoring
//! bulkhead status   the agent that runs                                          status
//! bulkhead audit    verify                                                       audit
//! ```
//!
//! [`command_line`] leads from the words to the tool, `running_agent` to the agent that runs; `which` are the options that tools
//! share. What a tool rehearses or tries runs as in the agent, in this process: the runtime, the dispatcher and the gate are the agent's own (package bulkhead-host).

pub mod command_line;

pub mod policy;

mod authoring;
mod module;

mod audit;
mod status;

mod which;

mod running_agent;
