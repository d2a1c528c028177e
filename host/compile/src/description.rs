//! What a component is, as far as its own bytes tell: its manifest, and what it imports and exports. Nothing of it is compiled.

use crate::bounds::{Declared, TooMuch};
use crate::proposals::{self, ProposalError};
use bulkhead_engine::wasmparser::{
    BinaryReaderError, CanonicalFunction, ComponentExternalKind, Encoding, Parser, Payload,
};
use serde_json::{Value, json};
use thiserror::Error;

/// The custom section with the manifest; `bulkhead_store::SECTION` is the same.
const MANIFEST: &str = "bulkhead:manifest";

/// Bytes of a page where the module does not say otherwise.
const PAGE: u64 = 65_536;

/// Why there is no description.
#[derive(Debug, Error)]
pub(crate) enum DescriptionError {
    /// It is something else.
    #[error("it is not WebAssembly: its first bytes are not those of a component")]
    NoWasm,
    /// It is a module.
    #[error("it is a core module, not a component: make a component of it, such as with 'wasm-tools component new'")]
    CoreModule,
    /// It has no manifest.
    #[error("it has no manifest: make one with 'bulkhead module pack'")]
    NoManifest,
    /// It has two.
    #[error("it has more than one manifest: pack the component that has none")]
    TwoManifests,
    /// Something stands behind it.
    #[error("its manifest is not its last section: pack it again with 'bulkhead module pack'")]
    NotLast,
    /// The manifest is no text.
    #[error("its manifest is not UTF-8")]
    NotText,
    /// It breaks the rules of its format, or uses what the agent does not run.
    #[error(transparent)]
    Proposal(#[from] ProposalError),
    /// It is more than one.
    #[error("it is composed of several components, and the agent runs modules that are one: build it as one component")]
    Composed,
    /// It asks for too much.
    #[error(transparent)]
    TooMuch(#[from] TooMuch),
}

/// Describes a component: `{"manifest": TEXT, "imports": [NAME], "exports": [NAME]}`. The names are those of instances, with their
/// versions; what is imported or exported in another form stands there with its kind, such as `func x`.
pub(crate) fn describe(bytes: &[u8]) -> Result<Value, DescriptionError> {
    let found = look(bytes)?;
    proposals::check(bytes)?;
    Ok(json!({ "manifest": found.manifest, "imports": found.imports, "exports": found.exports }))
}

/// Checks that a component declares no more than it may, and can be compiled.
pub(crate) fn check(bytes: &[u8]) -> Result<(), DescriptionError> {
    walk(bytes, |_, _| Ok(()))?;
    Ok(proposals::check(bytes)?)
}

impl From<BinaryReaderError> for DescriptionError {
    fn from(error: BinaryReaderError) -> Self {
        ProposalError::Invalid(error).into()
    }
}

#[derive(Default)]
struct Found {
    manifest: String,
    imports: Vec<String>,
    exports: Vec<String>,
}

fn look(bytes: &[u8]) -> Result<Found, DescriptionError> {
    let mut found = Found::default();
    let mut manifest = None;
    walk(bytes, |depth, payload| {
        if depth > 0 {
            return Ok(());
        }
        match payload {
            Payload::CustomSection(section) if section.name() == MANIFEST && manifest.is_some() => {
                return Err(DescriptionError::TwoManifests);
            }
            Payload::CustomSection(section) if section.name() == MANIFEST => {
                manifest = Some((section.data(), section.range().end));
            }
            Payload::ComponentImportSection(imports) => {
                for import in imports.clone() {
                    let import = import?;
                    found.imports.push(named(import.ty.kind(), import.name.name));
                }
            }
            Payload::ComponentExportSection(exports) => {
                for export in exports.clone() {
                    let export = export?;
                    found.exports.push(named(export.kind, export.name.name));
                }
            }
            _ => {}
        }
        Ok(())
    })?;
    let (data, end) = manifest.ok_or(DescriptionError::NoManifest)?;
    if end != bytes.len() {
        return Err(DescriptionError::NotLast);
    }
    found.manifest = str::from_utf8(data).map_err(|_| DescriptionError::NotText)?.to_owned();
    Ok(found)
}

fn named(kind: ComponentExternalKind, name: &str) -> String {
    match kind {
        ComponentExternalKind::Instance => name.to_owned(),
        kind => format!("{} {name}", kind.desc()),
    }
}

/// Shows `see` every section with its depth, and counts what is declared.
fn walk<'a>(
    bytes: &'a [u8],
    mut see: impl FnMut(usize, &Payload<'a>) -> Result<(), DescriptionError>,
) -> Result<(), DescriptionError> {
    if !bytes.starts_with(b"\0asm") {
        return Err(DescriptionError::NoWasm);
    }
    if bytes.get(4..8) == Some(&[1, 0, 0, 0]) {
        return Err(DescriptionError::CoreModule);
    }
    let (mut declared, mut parts) = (Declared::default(), Parts::default());
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload?;
        if matches!(payload, Payload::Version { encoding: Encoding::Module, .. }) && parts.open.is_empty() {
            return Err(DescriptionError::CoreModule);
        }
        parts.see(&payload)?;
        count(&mut declared, &payload)?;
        see(parts.open.len().saturating_sub(1), &payload)?;
    }
    if parts.at_work > 1 { Err(DescriptionError::Composed) } else { Ok(()) }
}

/// The modules and components that a component is made of.
#[derive(Default)]
struct Parts {
    /// Those whose end was not seen yet, the whole one first; and whether each makes functions of components of its code.
    open: Vec<bool>,
    /// How many do. Where one is an adapter for what another exports, there are none; where there are several, the engine would have
    /// to make code that copies between their memories.
    at_work: usize,
}

impl Parts {
    fn see(&mut self, payload: &Payload<'_>) -> Result<(), BinaryReaderError> {
        match payload {
            Payload::Version { .. } => self.open.push(false),
            Payload::ComponentCanonicalSection(functions) => {
                for function in functions.clone() {
                    let lifts = matches!(function?, CanonicalFunction::Lift { .. });
                    if let Some(does) = self.open.last_mut().filter(|_| lifts) {
                        self.at_work += usize::from(!std::mem::replace(does, true));
                    }
                }
            }
            Payload::End(_) => _ = self.open.pop(),
            _ => {}
        }
        Ok(())
    }
}

fn count(declared: &mut Declared, payload: &Payload<'_>) -> Result<(), DescriptionError> {
    match payload {
        Payload::MemorySection(memories) => {
            for memory in memories.clone() {
                let memory = memory?;
                let page = memory.page_size_log2.map_or(PAGE, |log2| 1_u64.checked_shl(log2).unwrap_or(u64::MAX));
                declared.memory(memory.initial, page)?;
            }
        }
        Payload::TableSection(tables) => {
            for table in tables.clone() {
                declared.table(table?.ty.initial)?;
            }
        }
        Payload::FunctionSection(functions) => declared.functions(functions.count())?,
        Payload::CodeSectionEntry(body) => {
            for locals in body.get_locals_reader()? {
                declared.locals(locals?.0)?;
            }
        }
        Payload::DataSection(segments) => declared.segments(segments.count())?,
        Payload::ElementSection(segments) => declared.segments(segments.count())?,
        Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => declared.part()?,
        Payload::InstanceSection(instances) => declared.instances(instances.count())?,
        Payload::ComponentInstanceSection(instances) => declared.instances(instances.count())?,
        _ => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An empty component.
    const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0";

    fn with(sections: &[(u8, &[u8])]) -> Vec<u8> {
        let mut bytes = EMPTY.to_vec();
        for (id, data) in sections {
            bytes.push(*id);
            let mut length = data.len();
            while length >= 0x80 {
                bytes.push(u8::try_from(length & 0x7f).unwrap() | 0x80);
                length >>= 7;
            }
            bytes.push(u8::try_from(length).unwrap());
            bytes.extend_from_slice(data);
        }
        bytes
    }

    fn manifest(text: &str) -> Vec<u8> {
        [&[17][..], MANIFEST.as_bytes(), text.as_bytes()].concat()
    }

    fn said(bytes: &[u8]) -> String {
        describe(bytes).unwrap_err().to_string()
    }

    #[test]
    fn the_manifest_is_the_last_section() {
        let bytes = with(&[(0, b"\x01ab"), (0, &manifest("{}"))]);
        assert_eq!(describe(&bytes).unwrap(), json!({ "manifest": "{}", "imports": [], "exports": [] }));
        assert!(said(&with(&[(0, &manifest("{}")), (0, b"\x01ab")])).contains("not its last section"));
        assert!(said(&with(&[(0, &manifest("{}")), (0, &manifest("{}"))])).contains("more than one manifest"));
        assert!(said(EMPTY).starts_with("it has no manifest: "));
    }

    #[test]
    fn a_manifest_inside_a_part_is_none() {
        let inner = with(&[(0, &manifest("{}"))]);
        assert!(said(&with(&[(4, &inner)])).starts_with("it has no manifest: "));
        let both = with(&[(4, &inner), (0, &manifest("[]"))]);
        assert_eq!(describe(&both).unwrap()["manifest"], "[]");
    }

    #[test]
    fn what_is_no_component_is_told_apart() {
        assert!(said(b"").starts_with("it is not WebAssembly"));
        assert!(said(b"\x7fELF").starts_with("it is not WebAssembly"));
        assert!(said(b"\0asm\x01\0\0\0").starts_with("it is a core module"));
        assert!(said(b"\0asm\x0d\0").starts_with("it is not a valid component"));
        assert!(said(&EMPTY[..7]).starts_with("it is not a valid component"));
        let whole = with(&[(0, &manifest("{}"))]);
        for length in 8..whole.len() {
            assert!(describe(&whole[..length]).is_err(), "cut after {length} bytes");
        }
    }

    #[test]
    fn a_bomb_is_found_before_it_is_made() {
        // A module with a memory of 257 pages.
        let module = b"\0asm\x01\0\0\0\x05\x04\x01\x00\x81\x02";
        assert!(said(&with(&[(1, module)])).contains("bytes of memory to begin with"));
        // A function with two million variables, declared in five bytes.
        let module = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\x00\x0a\x08\x01\x06\x01\x80\x89\x7a\x7f\x0b";
        assert!(said(&with(&[(1, module)])).contains("local variables"));
        // A table of 20001 elements.
        let module = b"\0asm\x01\0\0\0\x04\x06\x01\x70\x00\xa1\x9c\x01";
        assert!(said(&with(&[(1, module)])).contains("elements of tables"));
        assert!(check(&with(&[(1, module)])).is_err(), "nor is it compiled");
        // Components, each of which has another inside.
        let mut bytes = EMPTY.to_vec();
        for _ in 0..33 {
            bytes = with(&[(4, &bytes)]);
        }
        assert!(said(&bytes).contains("modules and components inside"));
    }

    /// Two components, of which the second asks the first for a number. (Nothing that would need a memory passes between them, so
    /// that every engine may be given it.)
    const COMPOSED: &str = r#"(component
        (component $first
            (core module $code (func (export "tell") (result i32) (i32.const 7)))
            (core instance $code (instantiate $code))
            (func (export "tell") (result u32) (canon lift (core func $code "tell"))))
        (component $second
            (import "tell" (func $tell (result u32)))
            (core func $tell (canon lower (func $tell)))
            (core module $code
                (import "" "tell" (func $tell (result i32)))
                (func (export "run") (result i32) (call $tell)))
            (core instance $code (instantiate $code (with "" (instance (export "tell" (func $tell))))))
            (func (export "run") (result u32) (canon lift (core func $code "run"))))
        (instance $first (instantiate $first))
        (instance $second (instantiate $second (with "tell" (func $first "tell"))))
        (export "run" (func $second "run")))"#;

    #[test]
    fn what_is_composed_of_several_components_is_refused() {
        let bytes = wat::parse_str(COMPOSED).unwrap();
        let composed =
            "it is composed of several components, and the agent runs modules that are one: build it as one component";
        assert_eq!(check(&bytes).unwrap_err().to_string(), composed);
        assert_eq!(said(&[&bytes[..], &with(&[(0, &manifest("{}"))])[8..]].concat()), composed);
    }
}
