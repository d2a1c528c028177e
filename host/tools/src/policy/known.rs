//! The guest modules that the owner's tools know: the built-in ones, and those that are installed in a store. No agent needs to
//! run for it.

use bulkhead_catalog::Capability;
use bulkhead_catalog::commands::{self, Catalog};
use bulkhead_catalog::{modules, worlds};
use bulkhead_host::modules::commands_of;
use bulkhead_store::{State, Store, Version};
use std::path::Path;

/// The modules that there are, and their commands.
#[derive(Debug)]
pub struct Known {
    catalog: Catalog,
    /// The versions that run.
    running: Vec<Version>,
    /// The names of all that are installed, those that do not run included.
    installed: Vec<String>,
    store: Option<Store>,
    fault: Option<String>,
}

impl Known {
    /// Those that are built in.
    pub fn built_in() -> Self {
        Known::of(&State::default(), None)
    }

    /// These, and those of the store in this folder. If there is none, or it cannot be read, nothing is installed as far as
    /// anybody here knows: [`Known::fault`] tells why.
    pub fn read(folder: &Path) -> Self {
        let store = Store::new(folder);
        match store.read() {
            Ok(state) => Known::of(&state, Some(store)),
            Err(error) => {
                let why = format!("{:#}", anyhow::Error::from(error));
                Known { fault: Some(why), ..Known::built_in() }
            }
        }
    }

    fn of(state: &State, store: Option<Store>) -> Self {
        let running: Vec<Version> = state.running().cloned().collect();
        let catalog =
            Catalog::with(running.iter().flat_map(|version| commands_of(&version.manifest, &version.imports)));
        let has_versions = state.modules.iter().filter(|(_, entry)| !entry.versions.is_empty());
        let installed = has_versions.map(|(name, _)| name.clone()).collect();
        Known { catalog, running, installed, store, fault: None }
    }

    /// Why nobody here knows what is installed, in a sentence; nothing if it is known.
    pub fn fault(&self) -> Option<&str> {
        self.fault.as_deref()
    }

    /// The commands.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// The names of the modules, the built-in ones first.
    pub fn modules(&self) -> Vec<&'static str> {
        let mut names = modules::names();
        for version in &self.running {
            let name = commands::interned(&version.manifest.name);
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    /// Where they are installed; nothing if there is no store to be read.
    pub(super) fn store(&self) -> Option<&Store> {
        self.store.as_ref()
    }

    /// Whether `module` is there and runs.
    pub(super) fn runs(&self, module: &str) -> bool {
        self.modules().contains(&module)
    }

    /// Whether `module` is installed, though perhaps it does not run.
    pub(super) fn is_installed(&self, module: &str) -> bool {
        self.installed.iter().any(|name| name == module)
    }

    /// Whether `module` imports the capability of this name.
    fn imports(&self, module: &str, capability: &str) -> bool {
        match self.running.iter().find(|version| version.manifest.name == module) {
            Some(version) => version.imports.iter().any(|name| name == capability),
            None => Capability::named(capability).is_some_and(|it| worlds::may_import(module, it)),
        }
    }

    /// The modules that import the capability of this name.
    pub(super) fn importers(&self, capability: &str) -> Vec<&'static str> {
        self.modules().into_iter().filter(|module| self.imports(module, capability)).collect()
    }
}

#[cfg(test)]
pub(super) mod testing {
    //! Policies for tests, and installed modules, of which nobody has seen any code.

    use super::Known;
    use bulkhead_catalog::{commands, modules};
    use bulkhead_policy::{Document, Policy};
    use bulkhead_store::{Command, Entry, Manifest, State, Version};

    /// A module with these commands and imports, which runs.
    pub(in crate::policy) fn version(name: &str, commands: &[&str], imports: &[&str]) -> Version {
        let commands = commands.iter().map(|name| Command {
            name: (*name).to_owned(),
            while_frozen: false,
            success_response: true,
            arguments: Vec::new(),
        });
        let manifest = Manifest {
            manifest: 1,
            name: name.to_owned(),
            version: "1".to_owned(),
            counter: 1,
            agent: "0.1.0".to_owned(),
            description: "A module of a test.".to_owned(),
            commands: commands.collect(),
            schema: String::new(),
            self_test: Vec::new(),
        };
        Version {
            digest: name.to_owned(),
            manifest,
            imports: imports.iter().map(|name| (*name).to_owned()).collect(),
            signer: "test.pub".to_owned(),
            codes: Vec::new(),
            installed: 0,
            proven: true,
        }
    }

    /// A policy of these rules.
    pub(in crate::policy) fn policy(rules: &str) -> Policy {
        let (commands, modules) = (commands::names(), modules::names());
        let document = Document::parse("p", &format!("version = 1\n{rules}"), &commands, &modules);
        let document = document.unwrap_or_else(|error| panic!("{error}\n{rules}"));
        Policy::merge([document], &commands, &modules).unwrap()
    }

    /// A store's state with these modules.
    pub(in crate::policy) fn state(versions: Vec<Version>) -> State {
        let mut state = State::default();
        for version in versions {
            let (name, current) = (version.manifest.name.clone(), Some(version.digest.clone()));
            state.modules.insert(name, Entry { enabled: true, counter: 1, current, versions: vec![version] });
        }
        state
    }

    /// The built-in modules, and one of a vendor's with a command that needs to be told addresses.
    pub(in crate::policy) fn known() -> Known {
        let version = version("com.example.net", &["__com.example_addresses"], &["network"]);
        Known::of(&state(vec![version]), None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bulkhead_test_support::Scratch;

    #[test]
    fn what_is_installed_is_known_with_its_commands_and_imports() {
        let known = testing::known();
        let command = known.catalog().find("__com.example_addresses").unwrap();
        assert_eq!(command.module, "com.example.net");
        assert_eq!(known.modules().last(), Some(&"com.example.net"));
        assert_eq!(known.importers("network"), ["report", "com.example.net"]);
        assert_eq!(Known::built_in().importers("network"), ["report"]);
        for shape in bulkhead_policy::shape::SHAPES {
            assert_eq!(Known::built_in().importers(shape.capability), worlds::importers(shape.capability));
        }
    }

    #[test]
    fn in_the_place_of_a_built_in_module_its_own_imports_count() {
        let state = testing::state(vec![testing::version("file", &["guest-file-open", "__com.example_x"], &["clock"])]);
        let known = Known::of(&state, None);
        assert_eq!(known.importers("files"), [""; 0]);
        assert!(known.importers("clock").contains(&"file"));
        assert_eq!(known.modules(), modules::names(), "its name is there once");
        assert_eq!(known.catalog().find("__com.example_x").map(|it| it.module), Some("file"));
    }

    #[test]
    fn what_does_not_run_is_installed_and_has_no_commands() {
        let mut state = testing::state(vec![testing::version("com.example.net", &["__com.example_x"], &[])]);
        state.modules.values_mut().for_each(|entry| entry.enabled = false);
        let known = Known::of(&state, None);
        assert!(known.is_installed("com.example.net") && !known.runs("com.example.net"));
        assert!(known.catalog().find("__com.example_x").is_none());
        assert!(!known.is_installed("com.example.other"));
    }

    #[test]
    fn without_a_store_the_built_in_modules_are_known() {
        let scratch = Scratch::new("known");
        let known = Known::read(&scratch.path().join("none"));
        assert_eq!((known.fault(), known.modules()), (None, modules::names()));
        let folder = scratch.folder("broken");
        std::fs::write(folder.join("state.json"), "no state").unwrap();
        let known = Known::read(&folder);
        assert_eq!(known.modules(), modules::names());
        assert!(known.fault().unwrap().contains("state.json"), "{:?}", known.fault());
    }
}
