//! A place to install modules in, and modules to be installed or refused there.
#![allow(clippy::missing_panics_doc, reason = "a failed helper fails the test that called it")]

pub mod bytes;
mod place;
mod sample;

pub use place::{Place, SAMPLES_POLICY, Said, compiler};
pub use sample::{ANSWER, ANSWER_SCHEMA, manifest, packed, replacing, sample};
