//! Instances made ready before they are needed: the client of a small request would wait longer for one than for its answer.
//!
//! Each is used for one request, like any other. What is made ready is a guess, that who asked a module once asks it again; a
//! wrong guess costs what was saved.

use crate::capability::Compartment;
use crate::capability::bindings::Offered;
use crate::modules::Module;
use bulkhead_border::request::Bounds;
use std::rc::Rc;
use wasmtime::Store;

/// How many modules have one ready, at 200 KiB each: two, for clients that send a guest-sync before each command go back
/// and forth between `core` and another.
const MODULES: usize = 2;

/// An instance that has answered nothing yet.
pub(super) struct Instance {
    pub(super) store: Store<Compartment>,
    pub(super) exports: Offered,
    module: Rc<Module>,
    /// What it may use.
    bounds: Bounds,
}

/// Those that are ready, the module that was asked last at the end.
#[derive(Default)]
pub(super) struct Ready(Vec<Instance>);

impl Instance {
    /// Of `module`, within these bounds.
    pub(super) fn new(store: Store<Compartment>, exports: Offered, module: Rc<Module>, bounds: Bounds) -> Self {
        Instance { store, exports, module, bounds }
    }

    fn is_of(&self, module: &Rc<Module>) -> bool {
        Rc::ptr_eq(&self.module, module)
    }
}

impl Ready {
    /// The instance of `module`, if one is ready within just these bounds. One of a module that was replaced is nobody's any more,
    /// and so is one whose bounds are others by now.
    pub(super) fn take(&mut self, module: &Rc<Module>, bounds: &Bounds) -> Option<Instance> {
        self.0.retain(|it| it.module.name != module.name || it.is_of(module) && it.bounds == *bounds);
        let found = self.0.iter().position(|it| it.is_of(module))?;
        Some(self.0.remove(found))
    }

    /// Keeps one more; the one that waits longest has to go for it.
    pub(super) fn put(&mut self, instance: Instance) {
        if self.0.len() >= MODULES {
            self.0.remove(0);
        }
        self.0.push(instance);
    }
}

impl std::fmt::Debug for Ready {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_list().entries(self.0.iter().map(|it| it.module.name)).finish()
    }
}
