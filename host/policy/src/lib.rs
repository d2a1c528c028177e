//! The owner's policy: what a client may have the agent do. Pure: text goes in, decisions come out; who reads files and
//! who asks is somebody else's.
//!
//! A policy is a set of rules. What no rule permits is denied, what a rule forbids is denied whatever permits it, and the
//! order of rules and files means nothing. There are four kinds of rules:
//!
//! - *command rules* ([`CommandRule`]) say which commands may run; the dispatcher asks ([`Policy::command`]);
//! - *grants* ([`Grant`]) say what modules may do with a capability; the gate asks about the value that it is about to
//!   use ([`Policy::judge`]);
//! - *limits* ([`LimitRule`]) say what compartments may use; whoever keeps what they bound takes them ([`Policy::limits`]);
//! - *module rules* ([`ModuleRule`]) say on what terms modules are installed and run ([`Policy::module`]).
//!
//! Two tables besides are not rules about modules, but wishes about the machine: which network interfaces are told of and in which
//! order ([`NetworkRule`]), and whether processors and memory that are added are taken into use ([`HotplugRule`]).
//!
//! What a file can say stands in [`shape`], as data: the reader, the JSON schema and the explanations are made from it.

mod canonical;
mod command;
mod cover;
mod document;
mod error;
mod grant;
mod hotplug;
mod json_schema;
mod limit;
mod matching;
mod module;
mod names;
mod network;
mod overlap;
mod policy;
mod profiles;
mod render;
mod rule;
pub mod shape;
mod table;
#[cfg(test)]
mod testing;
mod tree;

pub use command::{CommandRule, CommandVerdict, Mode, Pace, When};
pub use document::{Document, VERSION};
pub use error::{Origin, PolicyError};
pub use grant::{Ask, Asks, Effect, Grant, Rate, Value, Verdict};
pub use hotplug::HotplugRule;
pub use json_schema::json_schema;
pub use limit::{LimitRule, Limits};
pub use module::{ModuleRule, ModuleTerms, Strikes};
pub use names::{LONGEST, command_fault, covers, is_label, is_vendor_command, is_vendor_module, vendor_module_fault};
pub use network::NetworkRule;
pub use overlap::overlap;
pub use policy::Policy;
pub use profiles::{PROFILES, Profile};
pub use render::permit_for;
pub use rule::Rule;
pub use tree::matches;
