//! What a component imports and exports, against what the host offers.

use anyhow::bail;
use bulkhead_catalog::Capability;
use bulkhead_host::capability::CONVERSATION;

/// The package of the interfaces.
const PACKAGE: &str = "bulkhead:agent/";

/// Its version that this host offers, as `wit/` has it.
const VERSION: &str = "0.1.0";

/// The interface that every module must export.
const HANDLER: &str = "handler";

/// The capabilities among `imports`, in the order of their names. An import that the host does not have is refused by name, and a
/// component that answers no commands too.
pub(super) fn check(imports: &[String], exports: &[String]) -> anyhow::Result<Vec<String>> {
    let mut capabilities = Vec::new();
    for import in imports {
        let interface = offered(import)?;
        if !CONVERSATION.contains(&interface) && !capabilities.iter().any(|known| known == interface) {
            capabilities.push(interface.to_owned());
        }
    }
    if !exports.iter().any(|export| is_handler(export)) {
        bail!(
            "it does not export {PACKAGE}{HANDLER}@{VERSION}, so it answers no commands: build it for a world of wit/"
        );
    }
    capabilities.sort();
    Ok(capabilities)
}

/// The interface that an import names, if the host offers it.
fn offered(import: &str) -> anyhow::Result<&str> {
    let unknown = || {
        let names: Vec<_> = interfaces().collect();
        anyhow::anyhow!(
            "it imports {}, which the host does not offer; of {PACKAGE} it offers {}",
            import.escape_debug(),
            names.join(", ")
        )
    };
    let name = import.strip_prefix(PACKAGE).ok_or_else(unknown)?;
    let (interface, version) = name.split_once('@').unwrap_or((name, ""));
    if !interfaces().any(|offered| offered == interface) {
        return Err(unknown());
    }
    if !is_compatible(version) {
        bail!("it imports {}, and the host offers version {VERSION}: build it for that one", import.escape_debug());
    }
    Ok(interface)
}

fn interfaces() -> impl Iterator<Item = &'static str> {
    CONVERSATION.iter().copied().chain(Capability::ALL.iter().map(|capability| capability.name()))
}

fn is_handler(export: &str) -> bool {
    let version =
        export.strip_prefix(PACKAGE).and_then(|name| name.strip_prefix(HANDLER)).and_then(|it| it.strip_prefix('@'));
    version.is_some_and(is_compatible)
}

/// Whether a component made for this version fits the host's, as the engine's linker has it: before 1.0 the second number says
/// what is compatible. A function that only a later one has is missed when the module is linked.
fn is_compatible(version: &str) -> bool {
    let numbers = |text: &str| -> Option<(u64, u64, u64)> {
        let mut numbers = text.split('.').map(|number| number.parse().ok());
        let all = (numbers.next()??, numbers.next()??, numbers.next()??);
        numbers.next().is_none().then_some(all)
    };
    match (numbers(version), numbers(VERSION)) {
        (Some((0, minor, _)), Some((0, ours, _))) => minor == ours,
        (Some((major, ..)), Some((ours, ..))) => major == ours,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(imports: &[&str], exports: &[&str]) -> Result<Vec<String>, String> {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        check(&owned(imports), &owned(exports)).map_err(|error| error.to_string())
    }

    const HANDLES: &[&str] = &["bulkhead:agent/handler@0.1.0"];

    #[test]
    fn capabilities_are_what_gives_power() {
        let imports = ["bulkhead:agent/types@0.1.0", "bulkhead:agent/files@0.1.0", "bulkhead:agent/clock@0.1.7"];
        assert_eq!(checked(&imports, HANDLES).unwrap(), ["clock", "files"]);
    }

    #[test]
    fn what_the_host_does_not_offer_is_refused_by_name() {
        for import in
            ["wasi:cli/environment@0.2.0", "bulkhead:agent/everything@0.1.0", "func x", "bulkhead:agent/handler@0.1.0"]
        {
            let said = checked(&[import], HANDLES).unwrap_err();
            assert!(said.starts_with(&format!("it imports {import}, which the host does not offer")), "{said}");
            assert!(said.contains("files, "), "{said}");
        }
    }

    #[test]
    fn another_version_is_told_with_both() {
        for import in ["bulkhead:agent/files@0.2.0", "bulkhead:agent/files@1.0.0", "bulkhead:agent/files"] {
            let said = checked(&[import], HANDLES).unwrap_err();
            assert_eq!(said, format!("it imports {import}, and the host offers version 0.1.0: build it for that one"));
        }
    }

    #[test]
    fn who_answers_no_commands_is_no_module() {
        assert!(checked(&[], &[]).unwrap_err().contains("it does not export bulkhead:agent/handler@0.1.0"));
        assert!(checked(&[], &["bulkhead:agent/handler@0.2.0"]).is_err());
    }

    #[test]
    fn the_version_is_that_of_the_interfaces() {
        let package = include_str!("../../../../wit/world.wit").lines().next().unwrap();
        assert_eq!(package, format!("package {}@{VERSION};", PACKAGE.trim_end_matches('/')));
    }
}
