//! `bulkhead-compile`: turns a guest module into machine code, ahead of time.
//!
//! The agent holds no compiler. This program has one and holds no privileges: it reads one file and writes one
//! file. It is run when the agent is built and, later, when a module is installed.

use clap::{Parser, ValueEnum};
use std::path::PathBuf;
use wasmtime::error::Context;
use wasmtime::{Config, Engine};

#[derive(Parser)]
#[command(version, about)]
struct Options {
    /// What the code may assume of the processor
    #[arg(long, value_enum, default_value_t = Form::X86_64V2)]
    form: Form,
    /// The component to compile
    input: PathBuf,
    /// Where the compiled code goes
    output: PathBuf,
}

/// A kind of machine code. One component is compiled to one or more of them.
#[derive(Clone, Copy, ValueEnum)]
enum Form {
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
    fn configure(self, config: &mut Config) -> wasmtime::Result<()> {
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

fn main() -> wasmtime::Result<()> {
    let options = Options::parse();
    let mut config = bulkhead_engine::config();
    options.form.configure(&mut config)?;
    let engine = Engine::new(&config)?;
    let wasm = std::fs::read(&options.input).with_context(|| format!("cannot read {}", options.input.display()))?;
    let code =
        engine.precompile_component(&wasm).with_context(|| format!("cannot compile {}", options.input.display()))?;
    // Written beside its place and renamed: a reader sees the old code or the new, never half.
    let part = options.output.with_extension("part");
    std::fs::write(&part, code).with_context(|| format!("cannot write {}", part.display()))?;
    std::fs::rename(&part, &options.output).with_context(|| format!("cannot write {}", options.output.display()))?;
    Ok(())
}
