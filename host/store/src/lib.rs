//! Installed guest modules: what they say of themselves, who signed them, and where they are kept.
//!
//! ```text
//! file + signature -> signature   was it signed by a key of the owner's, and may that key sign this module?
//!                  -> manifest    name, version, commands, counter; from a custom section of the component
//!                  -> staging     written to the disk beside its place, with its machine code
//!                  -> state       one small file, replaced by rename: that is the moment of installing
//! ```
//!
//! Nothing here runs a module or knows of an engine; that is the host's business, and the compiler's that the host
//! starts. What is read from the store is believed because only the owner can have written it, and machine code only if
//! it has the SHA-256 that the state records.

#[cfg(test)]
mod crash;
mod date;
pub mod digest;
mod disk;
mod journal;
pub mod keys;
mod lock;
pub mod manifest;
pub mod names;
#[cfg(test)]
mod samples;
pub mod state;
pub mod store;
mod sweep;

pub use journal::{Event, Line};
pub use keys::{Key, KeyError, Keys};
pub use manifest::{Argument, Command, Expect, Manifest, ManifestError, SECTION, SelfTest};
pub use state::{Code, Entry, Quarantine, State, Version};
pub use store::{Store, StoreError};

/// Where modules are kept, unless told otherwise.
pub const DEFAULT_STORE: &str = "/var/lib/bulkhead/modules";

/// Where the owner's keys are.
pub const DEFAULT_KEYS: &str = "/etc/bulkhead/keys.d";
