//! A policy that an owner names in a word: a profile, or a file.

use anyhow::Context;
use bulkhead_catalog::{commands, modules};
use bulkhead_policy::{Document, Policy, Profile};
use std::ffi::OsStr;
use std::fs;
use std::path::Path;

/// The profile called `name`, or the file there: alone, without drop-ins, with the profile that it starts from. A file that
/// has the name of a profile is named with its folder, such as `./full`. Who may write the file does not matter here.
pub(super) fn policy(name: &OsStr) -> anyhow::Result<Policy> {
    let (commands, modules) = (commands::names(), modules::names());
    if let Some(profile) = name.to_str().and_then(Profile::named) {
        return Ok(Policy::of_profile(profile, &commands, &modules)?);
    }
    let file = Path::new(name);
    let read = || format!("there is no profile {name:?}, and the file cannot be read");
    let text = fs::read_to_string(file).with_context(read)?;
    let document = Document::parse(&file.to_string_lossy(), &text, &commands, &modules)?;
    Ok(Policy::merge([document], &commands, &modules)?)
}
