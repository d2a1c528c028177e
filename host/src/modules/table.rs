//! The modules that this agent has, loaded when they are first needed.

use super::Installed;
use super::builtin::{self, Form};
use crate::capability::{self, Compartment, bindings::OfferedPre};
use bulkhead_broker::Serving;
use bulkhead_catalog::{Capability, worlds};
use std::collections::HashMap;
use std::rc::Rc;
use thiserror::Error;
use wasmtime::Engine;
use wasmtime::component::Component;

/// A module ready to be instantiated: its code, its imports found and granted.
pub struct Module {
    /// Its name.
    pub name: &'static str,
    /// The SHA-256 of its component, if it is not built in.
    pub digest: Option<Rc<str>>,
    /// The type of its instances.
    pub template: OfferedPre<Compartment>,
}

/// The modules of this agent.
pub struct Modules {
    form: Form,
    loaded: HashMap<&'static str, Rc<Module>>,
    /// Modules that are not built in, some in the place of one that is.
    installed: HashMap<&'static str, Installed>,
}

/// Why a module cannot be used.
#[derive(Debug, Error)]
pub enum LoadError {
    /// There is no such module.
    #[error("no module is called {0}")]
    Unknown(&'static str),
    /// Its code cannot be loaded.
    #[error("the code of module {module} cannot be loaded")]
    Code {
        /// Which.
        module: &'static str,
        /// Why.
        source: wasmtime::Error,
    },
    /// It imports something that it was not granted or that does not exist, or does not export what a module must.
    #[error("module {module} does not fit the host")]
    Import {
        /// Which.
        module: &'static str,
        /// What is missing.
        source: wasmtime::Error,
    },
}

impl Modules {
    /// The built-in set, in the best form for this processor.
    pub fn built_in() -> Self {
        Modules { form: Form::detect(), loaded: HashMap::new(), installed: HashMap::new() }
    }

    /// The form in which modules run.
    pub fn form(&self) -> Form {
        self.form
    }

    /// From now on these modules are there besides the built-in ones, or in their places, and no others. A request that runs
    /// ends with the module that it began with.
    pub fn set_installed(&mut self, installed: HashMap<&'static str, Installed>) {
        let is_same = |name: &str| match (self.installed.get(name), installed.get(name)) {
            (Some(old), Some(new)) => old.digest == new.digest,
            (None, None) => true,
            _ => false,
        };
        self.loaded.retain(|name, _| is_same(name));
        self.installed = installed;
    }

    /// One of the installed modules, ready to be instantiated: it need not be linked when it is first needed.
    pub(crate) fn set_ready(&mut self, name: &'static str, template: OfferedPre<Compartment>) {
        let digest = self.installed.get(name).map(|installed| Rc::clone(&installed.digest));
        self.loaded.entry(name).or_insert_with(|| Rc::new(Module { name, digest, template }));
    }

    /// Whether the module `name` can make nobody wait: it is built in, and reaches nothing but what the agent knows of itself.
    pub fn answers_at_once(&self, name: &str) -> bool {
        !self.installed.contains_key(name) && worlds::reaches_only(name, Capability::Agent)
    }

    /// The installed modules.
    pub fn installed(&self) -> &HashMap<&'static str, Installed> {
        &self.installed
    }

    /// The SHA-256 of what runs as the module `name`: of a built-in one's code, of an installed one's component.
    pub fn digest(&self, name: &str) -> Option<Rc<str>> {
        match self.installed.get(name) {
            Some(installed) => Some(Rc::clone(&installed.digest)),
            None => builtin::digest(name, self.form).map(Rc::from),
        }
    }

    /// What serves as each module.
    pub fn serving(&self) -> HashMap<&'static str, Serving> {
        let built_in = bulkhead_catalog::modules::names().into_iter();
        let names = built_in.chain(self.installed.keys().copied());
        names.filter_map(|name| Some((name, self.serving_as(name)?))).collect()
    }

    fn serving_as(&self, name: &'static str) -> Option<Serving> {
        let digest = self.digest(name)?;
        let world = || Capability::ALL.iter().copied().filter(|it| worlds::may_import(name, *it)).collect();
        let imports = self.installed.get(name).map_or_else(world, |installed| Rc::clone(&installed.imports));
        Some(Serving { digest, imports })
    }

    /// The module called `name`.
    pub fn get(&mut self, engine: &Engine, name: &'static str) -> Result<Rc<Module>, LoadError> {
        if let Some(module) = self.loaded.get(name) {
            return Ok(Rc::clone(module));
        }
        let module = Rc::new(match self.installed.get(name) {
            Some(installed) => {
                let template = link(engine, &installed.component, |it| installed.imports.contains(&it));
                let template = template.map_err(|source| LoadError::Import { module: name, source })?;
                Module { name, digest: Some(Rc::clone(&installed.digest)), template }
            }
            None => {
                let component = builtin::load(engine, name, self.form)
                    .ok_or(LoadError::Unknown(name))?
                    .map_err(|source| LoadError::Code { module: name, source })?;
                let template = link(engine, &component, |capability| worlds::may_import(name, capability));
                let template = template.map_err(|source| LoadError::Import { module: name, source })?;
                Module { name, digest: None, template }
            }
        });
        self.loaded.insert(name, Rc::clone(&module));
        Ok(module)
    }
}

/// Finds what a component imports.
pub(crate) fn link(
    engine: &Engine,
    component: &Component,
    may_import: impl Fn(Capability) -> bool,
) -> wasmtime::Result<OfferedPre<Compartment>> {
    let linker = capability::importable(engine, may_import)?;
    OfferedPre::new(linker.instantiate_pre(component)?)
}

impl std::fmt::Debug for Modules {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Modules").field("form", &self.form).field("loaded", &self.loaded.len()).finish()
    }
}
