//! The schema files beside this crate, and what build scripts make of them.

use crate::{Schema, SchemaError, generate};
use std::path::{Path, PathBuf};
use std::{env, fmt, fs, io};

/// qemu-ga's commands in its own order, one per line; see the head of `commands.txt`.
pub const ORDER: &str = include_str!("../commands.txt");

/// Why a build script could not do its work.
#[derive(Debug)]
pub enum BuildError {
    /// A file could not be read or written, or a folder not be listed.
    File(PathBuf, io::Error),
    /// A schema of this folder is wrong.
    Schema(SchemaError),
    /// A module's own schema is wrong.
    Own(SchemaError),
    /// `OUT_DIR` is not set: this is not a build script.
    NoOutDir,
}

/// Reads the schema of a guest module, `NAME.json` beside this crate.
///
/// # Errors
///
/// [`BuildError::File`] and [`BuildError::Schema`].
pub fn load(module: &str) -> Result<Schema, BuildError> {
    let path = folder().join(format!("{module}.json"));
    let text = fs::read_to_string(&path).map_err(|error| BuildError::File(path, error))?;
    Schema::parse(module, &text).map_err(BuildError::Schema)
}

/// Reads the schemas of all guest modules, in the order of their names. Every `.json` file beside this crate is one, except
/// those called `NAME.schema.json`, which are JSON schemas of other things.
///
/// # Errors
///
/// As [`load`].
pub fn load_all() -> Result<Vec<Schema>, BuildError> {
    let folder = folder();
    let unlisted = |error| BuildError::File(folder.to_owned(), error);
    let mut modules = Vec::new();
    for entry in fs::read_dir(folder).map_err(unlisted)? {
        let path = entry.map_err(unlisted)?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
            modules.extend(stem.filter(|stem| !stem.ends_with(".schema")));
        }
    }
    modules.sort();
    modules.iter().map(|module| load(module)).collect()
}

/// For the build script of a guest module: writes the types of its arguments and returns to `$OUT_DIR/schema.rs`.
///
/// # Panics
///
/// If anything is wrong, with one sentence that names the place: cargo shows it and the build ends.
pub fn generate_for(module: &str) {
    println!("cargo::rerun-if-changed={}", folder().join(format!("{module}.json")).display());
    let written = load(module).and_then(|schema| write("schema.rs", &generate::rust(&schema)));
    written.unwrap_or_else(|error| panic!("{error}"));
}

/// The same for the build script of a module that lives elsewhere, with a schema file of its own beside the build script.
///
/// # Panics
///
/// As [`generate_for`].
pub fn generate_from(path: impl AsRef<Path>) {
    let path = path.as_ref();
    println!("cargo::rerun-if-changed={}", path.display());
    let module = path.file_stem().unwrap_or_default().to_string_lossy();
    let read = fs::read_to_string(path).map_err(|error| BuildError::File(path.to_owned(), error));
    let schema = read.and_then(|text| Schema::parse(&module, &text).map_err(BuildError::Own));
    let written = schema.and_then(|schema| write("schema.rs", &generate::rust(&schema)));
    written.unwrap_or_else(|error| panic!("{error}"));
}

fn write(name: &str, text: &str) -> Result<(), BuildError> {
    let path = PathBuf::from(env::var_os("OUT_DIR").ok_or(BuildError::NoOutDir)?).join(name);
    fs::write(&path, text).map_err(|error| BuildError::File(path, error))
}

/// Where this package is: the schema files live in it, wherever the caller's build script runs.
fn folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path, error) => write!(f, "{}: {error}", path.display()),
            Self::Schema(error) => write!(f, "schemas/{error}"),
            Self::Own(error) => write!(f, "{error}"),
            Self::NoOutDir => f.write_str("OUT_DIR is not set: this function is for build scripts"),
        }
    }
}

impl std::error::Error for BuildError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_schema_file_is_a_module() {
        let modules: Vec<String> = load_all().unwrap().into_iter().map(|schema| schema.module).collect();
        assert!(modules.iter().any(|module| module == "file"), "{modules:?}");
        assert!(modules.is_sorted());
    }

    #[test]
    fn every_command_has_its_place_in_the_order_of_qemu_ga() {
        let all = load_all().unwrap();
        let table = generate::command_table(&all, ORDER).unwrap();
        let commands: usize = all.iter().map(|schema| schema.commands.len()).sum();
        assert_eq!(table.matches("Command { name: ").count(), commands);
    }

    /// A client does not care which module answers: what one tells about, another must be able to be asked for.
    #[test]
    fn a_type_that_two_modules_have_is_the_same_in_both() {
        let all = load_all().unwrap();
        let mut shared = Vec::new();
        for (index, schema) in all.iter().enumerate() {
            for definition in &schema.types {
                for other in all[..index].iter().filter_map(|other| other.definition(definition.name())) {
                    assert_eq!(definition, other, "in {}.json and before it", schema.module);
                    shared.push(definition.name());
                }
            }
        }
        assert!(shared.contains(&"GuestMemoryBlock"), "{shared:?}");
    }

    #[test]
    fn a_missing_module_is_named() {
        let error = load("absent").unwrap_err().to_string();
        assert!(error.contains("schemas/absent.json: "), "{error}");
    }
}
