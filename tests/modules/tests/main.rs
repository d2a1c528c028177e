//! The owner's tools around modules.

mod confinement;
mod corpus;
mod kill;
mod life;
