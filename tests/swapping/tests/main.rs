//! Modules that come and go while the agent runs.

mod compiled_anew;
mod died;
mod frozen;
mod probation;
mod status;
mod swap;
mod swap_storm;
mod swap_trouble;
mod told;
