//! The modules that this agent has, loaded when they are first needed.

use super::builtin::{self, Form};
use crate::capability::{self, Compartment, bindings::OfferedPre};
use std::collections::HashMap;
use std::rc::Rc;
use thiserror::Error;
use wasmtime::Engine;
use wasmtime::component::Component;

/// A module ready to be instantiated: its code, its imports found and granted.
pub struct Module {
    /// Its name.
    pub name: &'static str,
    /// The type of its instances.
    pub template: OfferedPre<Compartment>,
}

/// The modules of this agent.
pub struct Modules {
    form: Form,
    loaded: HashMap<&'static str, Rc<Module>>,
    /// Modules that are not built in: tests bring hostile ones.
    extra: HashMap<&'static str, Component>,
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
        Modules { form: Form::detect(), loaded: HashMap::new(), extra: HashMap::new() }
    }

    /// The form in which the built-in modules run.
    pub fn form(&self) -> Form {
        self.form
    }

    /// Puts `component` in the place of the module called `name`.
    pub fn replace(&mut self, name: &'static str, component: Component) {
        self.loaded.remove(name);
        self.extra.insert(name, component);
    }

    /// The SHA-256 of the code that runs as the module `name`; none if it was put there by [`Modules::replace`].
    pub fn digest(&self, name: &str) -> Option<&'static str> {
        if self.extra.contains_key(name) { None } else { builtin::digest(name, self.form) }
    }

    /// The module called `name`.
    pub fn get(&mut self, engine: &Engine, name: &'static str) -> Result<Rc<Module>, LoadError> {
        if let Some(module) = self.loaded.get(name) {
            return Ok(Rc::clone(module));
        }
        let component = match self.extra.get(name) {
            Some(component) => component.clone(),
            None => builtin::load(engine, name, self.form)
                .ok_or(LoadError::Unknown(name))?
                .map_err(|source| LoadError::Code { module: name, source })?,
        };
        let template = capability::importable(engine, name)
            .and_then(|linker| linker.instantiate_pre(&component))
            .and_then(OfferedPre::new)
            .map_err(|source| LoadError::Import { module: name, source })?;
        let module = Rc::new(Module { name, template });
        self.loaded.insert(name, Rc::clone(&module));
        Ok(module)
    }
}

impl std::fmt::Debug for Modules {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Modules").field("form", &self.form).field("loaded", &self.loaded.len()).finish()
    }
}
