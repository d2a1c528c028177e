//! Writing guest modules: the tools of their authors. None needs root, a key or a running agent.
//!
//! ```text
//! new     a folder that builds                       template
//! pack    component + module.toml + schema -> file   module_file
//! test    a table of requests, and what comes of them
//! run     one request, and all that it asks for      try_out: the real runtime and dispatcher, a pretended system
//! bench   one request, many times
//! ```

mod module_file;
pub(crate) mod new;
pub(crate) mod pack;
mod template;
mod text;
pub(crate) mod try_out;
