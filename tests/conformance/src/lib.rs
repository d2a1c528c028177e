//! Transcripts: what a client sends and what the agent answers, as texts that a person reads as the manual of a
//! command and a machine plays. `README.md` beside this crate tells how to write one.
//!
//! The modules in the order in which a transcript meets them: a file becomes a [`transcript`], whose words
//! [`notation`] spells out; [`player`] plays it in a [`place`], which may be a [`sandbox`]; [`expect`] judges the
//! answers; [`bless`] rewrites the file where the answers are right and the file is not; [`exceptions`] are the
//! answers in which the oracle may differ; and [`harness`] does so for all of them, while [`report`]
//! prints what was seen.

pub mod bless;
pub mod exceptions;
pub mod expect;
pub mod harness;
pub mod notation;
pub mod place;
pub mod player;
pub mod report;
pub mod sandbox;
pub mod transcript;
