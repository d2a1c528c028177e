//! One file per question to a policy.

mod cases;
mod commands;
mod explain;
mod learn;
mod suggest;
