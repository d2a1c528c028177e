//! Installing guest modules, and looking after those that are: the owner's tools around the store.
//!
//! Each tool is a file. [`install`] is the one to read: [`source`], the keys of the store's package, [`compiler`], [`imports`],
//! [`claims`], [`codes`] and [`trial`] are its steps, in their order.

mod claims;
mod codes;
pub(crate) mod compiler;
pub(crate) mod disable;
pub(crate) mod enable;
pub(crate) mod gc;
mod imports;
pub(crate) mod inspect;
pub(crate) mod install;
pub(crate) mod list;
mod named;
pub(crate) mod recompile;
pub(crate) mod remove;
pub(crate) mod rollback;
mod source;
mod taken;
mod trial;
pub(crate) mod verify;
mod words;
