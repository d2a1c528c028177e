//! Trying a module out: the real runtime, in front of a system that pretends.
//!
//! ```text
//! file -> bulkhead-compile -> stage     the module beside the built-in ones, the real dispatcher
//! cases.toml -> case -> pretended       what the system says in this case
//!                    -> policy          what the module is granted in it
//! request -> stage -> answer            reply, what the module asked for, what was done, what was logged
//! ```

pub(crate) mod bench;
mod case;
mod differences;
mod policy;
mod pretended;
pub(crate) mod run;
mod stage;
pub(crate) mod test;
