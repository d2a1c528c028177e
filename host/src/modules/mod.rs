//! Guest modules: which there are, and how their code is loaded.

mod builtin;
mod table;

pub use builtin::Form;
pub use table::{LoadError, Module, Modules};
