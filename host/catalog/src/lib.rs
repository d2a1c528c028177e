//! What there is: commands, the modules that answer them, and the capabilities that modules import. One table, made from
//! `schemas/`; whoever rules, runs or shows looks here, and nobody keeps a list of his own.
//!
//! ```text
//! command     [`commands`]     which module answers it, its arguments, whether it runs while frozen
//!   needs     [`needs`]        the capabilities without which it is of no use
//! module      [`modules`]      the built-in ones
//!   imports   [`worlds`]       the capabilities it may be linked with
//! capability  [`Capability`]   a WIT interface of the host
//! ```

pub mod commands;

pub mod needs;

pub mod modules;

pub mod worlds;

mod capability;

pub use capability::Capability;
