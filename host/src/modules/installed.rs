//! Modules that are not built in.

use bulkhead_catalog::Capability;
use bulkhead_catalog::commands::{self, Command};
use bulkhead_store::Manifest;
use std::rc::Rc;
use wasmtime::Engine;
use wasmtime::component::Component;

/// A module that is not built in.
#[derive(Clone)]
pub struct Installed {
    /// Its code.
    pub component: Component,
    /// The SHA-256 of its component, in hexadecimal.
    pub digest: Rc<str>,
    /// What it imports.
    pub imports: Rc<[Capability]>,
}

/// The component of machine code that `bulkhead-compile` has made: a moment ago, or earlier, and then it has the SHA-256
/// that the store has on record.
pub fn component(engine: &Engine, code: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: the caller vouches for the code as said above; whoever could change the record could change the program. The
    // engine itself refuses code of another version or configuration.
    #[expect(unsafe_code, reason = "compiled code is trusted as the record of its digest is")]
    unsafe {
        Component::deserialize(engine, code)
    }
}

/// The commands of a module that is not built in. Of one in the place of a built-in module, its built-in commands stay what
/// they are.
pub fn commands_of(manifest: &Manifest, imports: &[String]) -> Vec<Command> {
    let imports: Vec<&'static str> =
        imports.iter().filter_map(|name| Capability::named(name)).map(Capability::name).collect();
    let module = commands::interned(&manifest.name);
    let vendors = manifest.commands.iter().filter(|command| commands::find(&command.name).is_none());
    vendors
        .map(|command| Command {
            name: commands::interned(&command.name),
            module,
            success_response: command.success_response,
            allowed_while_frozen: command.while_frozen,
            installed: Some(commands::installed(
                imports.clone(),
                command.arguments.iter().map(|argument| (argument.name.clone(), argument.shown)).collect(),
            )),
        })
        .collect()
}
