//! Joining functions to the component's export.

use crate::{ArgumentText, CommandError, FromArguments, IntoReturn, Members};

/// Makes the crate a guest module: its world (from `wit/world.wit`) and, for each command, the function that
/// answers it.
///
/// ```ignore
/// bulkhead_module::module! {
///     world: "file",
///     "guest-file-open" => open::open,
///     "guest-file-close" => close::close,
/// }
/// ```
///
/// The world's interfaces are then found in the module `bindings`. The folder with the WIT package is `../../wit`, seen
/// from the crate, unless `wit: "folder",` comes first.
#[macro_export]
macro_rules! module {
    (world: $world:tt, $($rest:tt)+) => {
        $crate::module! { wit: "../../wit", world: $world, $($rest)+ }
    };
    (wit: $wit:tt, world: $world:tt, $($command:literal => $answer:path),+ $(,)?) => {
        #[allow(missing_docs, unsafe_code, unreachable_pub, dead_code, clippy::all, reason = "made by wit-bindgen; documented in wit/")]
        mod bindings {
            $crate::wit_bindgen::generate!({
                path: $wit,
                world: $world,
                runtime_path: "bulkhead_module::wit_bindgen::rt",
                with: {
                    "bulkhead:agent/types@0.1.0": bulkhead_module::bindings::bulkhead::agent::types,
                    "bulkhead:agent/log@0.1.0": bulkhead_module::bindings::bulkhead::agent::log,
                },
                generate_all,
            });
        }

        /// The commands this module answers, in the order of its `module!` list.
        pub const ANSWERED: &[&str] = &[$($command),+];

        #[cfg(test)]
        #[test]
        fn every_command_of_the_schema_has_its_function() {
            assert_eq!(ANSWERED, schema::COMMANDS);
        }

        #[cfg_attr(not(target_arch = "wasm32"), allow(dead_code, reason = "natively there is nobody to export to"))]
        struct Module;

        impl bindings::exports::bulkhead::agent::handler::Guest for Module {
            fn handle(
                command: String,
                arguments: bindings::exports::bulkhead::agent::handler::ArgumentText,
            ) -> Result<String, $crate::CommandError> {
                use bindings::exports::bulkhead::agent::handler::ArgumentText;
                $crate::log::install_panic_hook();
                let arguments = match arguments {
                    ArgumentText::Whole(text) => $crate::ArgumentText::Whole(text),
                    ArgumentText::Long(long) => $crate::ArgumentText::Long(long),
                    ArgumentText::TooLong => $crate::ArgumentText::TooLong,
                };
                match command.as_str() {
                    $($command => $crate::answer(arguments, $answer),)+
                    other => Err($crate::CommandError::not_found(other)),
                }
            }
        }

        // Only where there is a component to export from: a native linker does not take the names.
        #[cfg(target_arch = "wasm32")]
        #[allow(unsafe_code, reason = "the component's export, made by wit-bindgen")]
        mod export {
            use super::{Module, bindings};
            bindings::export!(Module with_types_in bindings);

            #[global_allocator]
            static HEAP: $crate::heap::Heap = $crate::heap::Heap::new();
        }
    };
}

/// Answers one command: checks the arguments completely, then runs `command` on them.
pub fn answer<A: FromArguments, R: IntoReturn>(
    text: ArgumentText,
    command: fn(A) -> Result<R, CommandError>,
) -> Result<String, CommandError> {
    let mut members = Members::read(text)?;
    let arguments = A::from_arguments(&mut members)?;
    members.finish()?;
    command(arguments).map(IntoReturn::into_return)
}
