//! `make instructions`: a guard for the speed of the pure parts, by what they execute rather than by how long it takes.
//!
//! Times depend on the machine and on what else it does; a number of instructions hardly does, so a regression of a tenth
//! can be told on any machine, at once. What it does not tell is time: `make bench` does.
//!
//! - [`cases`]: what is counted;
//! - [`measure`]: counting, by valgrind;
//! - [`baseline`]: the numbers that were accepted, in `baseline.toml`;
//! - [`verdict`]: the two compared.
//!
//! # What a count depends on
//!
//! The compiler and the target: the baselines name theirs, and on another target nothing is judged. The build is cargo's own
//! profile; flags of the environment (`RUSTFLAGS`) make other counts.
//!
//! Not the processor. Our own code is compiled for the plain x86-64, and the base64 library without its search for more at
//! run time, so what is counted of it here is its slow road; modules use the one for wasm. What is left is the C library,
//! which picks a `memcpy` for the processor that it finds; it is told to pick the plainest ([`measure`]).
//!
//! A little the version of the C library: its `malloc`, `free`, `memcpy` and `memcmp` are an eighth of a request, a fifth of
//! what a policy is asked, and less than that of everything else. And a little the build, as the compiler inlines anew when
//! anything near has changed: two percent were seen. This is what the tolerance is for. Two runs of one build differ by a few
//! instructions.

pub mod baseline;
pub mod cases;
pub mod measure;
pub mod verdict;
