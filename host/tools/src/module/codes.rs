//! Machine code of a component, in every form that this architecture can run.

use super::compiler::Compiler;
use bulkhead_engine::IDENTITY;
use bulkhead_host::modules::Form;
use bulkhead_store::{Code, Version, digest};

/// The forms, the best first. The disk may be moved to another processor, so all of them are kept.
#[cfg(target_arch = "x86_64")]
const FORMS: &[Form] = &[Form::X86_64V2, Form::Baseline];
#[cfg(not(target_arch = "x86_64"))]
const FORMS: &[Form] = &[Form::Baseline];

/// Compiles a component to all of them.
pub(super) fn compile(compiler: &Compiler, component: &[u8]) -> anyhow::Result<Vec<(Code, Vec<u8>)>> {
    let compile = |form: &Form| {
        let bytes = compiler.compile(component, *form)?;
        let code = Code { form: form.name().to_owned(), engine: IDENTITY.to_owned(), digest: digest::of(&bytes) };
        Ok((code, bytes))
    };
    FORMS.iter().map(compile).collect()
}

/// Whether this agent can load the machine code of a version: it is there in all forms, and was made for this engine.
pub(super) fn is_loadable(version: &Version) -> bool {
    FORMS.iter().all(|form| version.codes.iter().any(|code| code.form == form.name() && code.engine == IDENTITY))
}
