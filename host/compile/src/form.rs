//! The forms of machine code. Whatever changes here changes the code, and then `bulkhead_engine::IDENTITY` must change too.

use clap::ValueEnum;
use wasmtime::Config;

/// A kind of machine code. One component is compiled to one or more of them.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Form {
    /// Any 64-bit x86, such as QEMU's `qemu64` and `kvm64` processor models
    #[value(name = "x86-64")]
    X86_64,
    /// x86 since 2009 (SSE4.2): moves file contents four to ten times faster
    #[value(name = "x86-64-v2")]
    X86_64V2,
    /// Any 64-bit Arm
    #[value(name = "aarch64")]
    Aarch64,
}

impl Form {
    /// Names the target explicitly even where it is the build machine's own: without a name the compiler would
    /// use whatever this processor happens to have, and the code would be refused elsewhere.
    pub(crate) fn configure(self, config: &mut Config) -> wasmtime::Result<()> {
        match self {
            Form::X86_64 => {
                config.target("x86_64-unknown-linux-gnu")?;
            }
            Form::X86_64V2 => {
                config.target("x86_64-unknown-linux-gnu")?;
                for flag in ["has_sse3", "has_ssse3", "has_sse41", "has_sse42", "has_popcnt"] {
                    #[expect(
                        unsafe_code,
                        reason = "wasmtime marks CPU flags unsafe; the agent checks them before loading"
                    )]
                    // SAFETY: the flag exists for this target, and the agent loads this form only where the
                    // processor has all five features (`host/src/modules/builtin.rs`).
                    unsafe {
                        config.cranelift_flag_enable(flag);
                    }
                }
            }
            Form::Aarch64 => {
                config.target("aarch64-unknown-linux-gnu")?;
            }
        }
        Ok(())
    }
}
