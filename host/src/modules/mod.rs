//! Guest modules: which there are, and how their code is loaded.

mod builtin;
mod table;
mod worlds;

pub use builtin::{Form, names};
pub use table::{LoadError, Module, Modules};
pub use worlds::{importers, may_import};
