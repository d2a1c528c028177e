//! The built-in set: the guest modules whose code is part of the agent's own file, so that the agent works from a
//! single file and nothing on disk can take it down.

use std::collections::BTreeSet;
use std::fmt;
use std::ptr::NonNull;
use std::sync::{Mutex, PoisonError};
use wasmtime::Engine;
use wasmtime::component::Component;

/// One module, in every form this architecture can run.
#[derive(Debug)]
pub(super) struct BuiltIn {
    pub(super) name: &'static str,
    /// The best form first.
    pub(super) forms: &'static [Code],
}

/// The machine code of a module in one form.
#[derive(Debug)]
pub(super) struct Code {
    pub(super) form: Form,
    pub(super) bytes: &'static [u8],
    /// The SHA-256 of the bytes.
    pub(super) digest: &'static str,
}

/// Code stands in the agent's file as it must stand in memory to be run there: at a multiple of
/// [`ALIGNMENT`](super::code::ALIGNMENT).
#[cfg_attr(target_arch = "x86_64", repr(C, align(0x1000)))]
#[cfg_attr(not(target_arch = "x86_64"), repr(C, align(0x10000)))]
struct Aligned<const LENGTH: usize>([u8; LENGTH]);

const _: () = assert!(align_of::<Aligned<0>>() == super::code::ALIGNMENT);

include!(concat!(env!("OUT_DIR"), "/builtin.rs"));

/// What compiled code assumes of the processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// x86-64-v2: SSE4.2 and what came before, in every processor since 2009.
    #[cfg(target_arch = "x86_64")]
    X86_64V2,
    /// What every processor of the architecture has.
    Baseline,
}

impl Form {
    /// The best form that this processor can run. VMs with QEMU's `qemu64` or `kvm64` model have the baseline only.
    pub fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("sse3")
            && is_x86_feature_detected!("ssse3")
            && is_x86_feature_detected!("sse4.1")
            && is_x86_feature_detected!("sse4.2")
            && is_x86_feature_detected!("popcnt")
        {
            return Form::X86_64V2;
        }
        Form::Baseline
    }

    /// Its name for `bulkhead-compile` and in the store, where code of several architectures could meet.
    pub fn name(self) -> &'static str {
        match self {
            #[cfg(target_arch = "x86_64")]
            Form::X86_64V2 => "x86-64-v2",
            #[cfg(target_arch = "x86_64")]
            Form::Baseline => "x86-64",
            #[cfg(not(target_arch = "x86_64"))]
            Form::Baseline => "aarch64",
        }
    }
}

impl fmt::Display for Form {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            #[cfg(target_arch = "x86_64")]
            Form::X86_64V2 => "x86-64-v2",
            Form::Baseline => "baseline",
        })
    }
}

fn code(name: &str, form: Form) -> Option<&'static Code> {
    BUILT_IN.iter().find(|module| module.name == name)?.forms.iter().find(|code| code.form == form)
}

/// The SHA-256 of the code of the built-in module `name` in `form`, in hexadecimal digits.
pub(super) fn digest(name: &str, form: Form) -> Option<&'static str> {
    code(name, form).map(|code| code.digest)
}

/// The same code as it is: of a module that is not built in, nothing. Tests put it into a store.
pub fn bytes(name: &str, form: Form) -> Option<&'static [u8]> {
    code(name, form).map(|code| code.bytes)
}

/// The code of the built-in module `name` in `form`, ready to be instantiated.
///
/// The first time in the life of the process it is run where it is. The engine finds code by its address and takes none twice, and the
/// first component may still be there: its module was replaced and comes back, or there is another engine. So later ones are copies.
pub(super) fn load(engine: &Engine, name: &str, form: Form) -> Option<wasmtime::Result<Component>> {
    let code = code(name, form)?.bytes;
    // SAFETY: the bytes were made by `bulkhead-compile` from our own modules when this program was built, and are
    // part of this program since: whoever could change them could change the program. They are there as long as it is.
    #[expect(unsafe_code, reason = "compiled code is trusted as the program it is part of")]
    Some(unsafe {
        if is_first(code) {
            Component::deserialize_raw(engine, NonNull::from(code))
        } else {
            Component::deserialize(engine, code)
        }
    })
}

/// Whether this is asked for the first time of `code`.
fn is_first(code: &'static [u8]) -> bool {
    static ASKED: Mutex<BTreeSet<usize>> = Mutex::new(BTreeSet::new());
    ASKED.lock().unwrap_or_else(PoisonError::into_inner).insert(code.as_ptr().addr())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::Runtime;
    use bulkhead_catalog::modules::names;

    #[test]
    fn code_is_there_for_every_engine_and_as_often_as_it_is_wanted() {
        let runtimes = [Runtime::new().unwrap(), Runtime::new().unwrap()];
        for (name, form) in names().into_iter().flat_map(|name| [(name, Form::Baseline), (name, Form::detect())]) {
            let twice = runtimes.iter().chain(&runtimes);
            let loaded: Vec<_> = twice.map(|it| load(it.engine(), name, form).unwrap().unwrap()).collect();
            let mut places: Vec<_> = loaded.iter().map(Component::image_range).collect();
            places.dedup();
            assert_eq!(places.len(), 4, "{name}, {form}");
        }
    }
}
