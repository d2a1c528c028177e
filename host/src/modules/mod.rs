//! Guest modules: which there are, and how their code is loaded.

mod builtin;
pub(crate) mod code;
mod installed;
mod table;

pub use builtin::{Form, bytes};
pub use installed::Installed;
pub use installed::{commands_of, component};
pub(crate) use table::link;
pub use table::{LoadError, Module, Modules};
