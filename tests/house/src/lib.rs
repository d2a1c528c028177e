//! The rules of the house that a machine can check.
//!
//! Each rule is a test of its own, named as the rule reads. A test that fails lists every place that breaks the rule
//! and says what to do there. Where a rule has exceptions, they stand as a list in its file, each with its reason; an
//! exception that is no longer needed is an error too.
//!
//! | file | rule |
//! |---|---|
//! | `imports` | a built guest module imports what its world says, nothing else |
//! | `wit_docs` | everything in `wit/` is documented |
//! | `counterparts` | every interface has its file at each stop of the road |
//! | `layers` | imports point down only |
//! | `circles` | within a room, too |
//! | `unsafety` | `unsafe` lives in `host/sys` and says why it is sound |
//! | `commands` | a command is a schema entry, a function and a folder of transcripts |
//! | `compiler` | the agent holds no compiler |
//! | `decisions` | decisions are listed, and a dependency needs one |
//! | `files` | source files stay short, finished, and free of one machine's paths |
//! | `limits` | every limit has a paragraph |
//! | `policies` | the example policies are shown as they are, and have cases |
//! | `documents` | links lead somewhere, the changelog keeps its form |
//!
//! `tree`, `rust` and `wit` are what the rules share.

#[cfg(test)]
mod circles;
#[cfg(test)]
mod commands;
#[cfg(test)]
mod compiler;
#[cfg(test)]
mod counterparts;
#[cfg(test)]
mod decisions;
#[cfg(test)]
mod documents;
#[cfg(test)]
mod files;
#[cfg(test)]
mod imports;
#[cfg(test)]
mod layers;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod policies;
#[cfg(test)]
mod rust;
#[cfg(test)]
mod tree;
#[cfg(test)]
mod unsafety;
#[cfg(test)]
mod wit;
#[cfg(test)]
mod wit_docs;
