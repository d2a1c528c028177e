//! `bulkhead-compile`: turns a guest module into machine code, ahead of time.
//!
//! The agent holds no compiler. This program has one and holds no privileges. When the agent is built it reads one file and writes one
//! file; when a module is installed it gives up what it could reach ([`confinement`]), reads a component on stdin, and writes on stdout
//! what it is, or its machine code.

mod bounds;
mod confinement;
mod description;
mod fault;
mod form;
mod proposals;

use clap::Parser;
use confinement::Purpose;
use form::Form;
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use wasmtime::error::Context;
use wasmtime::{Engine, Error};

#[derive(Parser)]
#[command(version, about)]
struct Options {
    /// What the code may assume of the processor
    #[arg(long, value_enum, default_value_t = Form::X86_64V2)]
    form: Form,
    /// Give up all privileges, and read the component on stdin and write the code on stdout
    #[arg(long)]
    confined: bool,
    /// Compile nothing: write on stdout, as JSON, what the component says of itself, imports and exports
    #[arg(long, requires = "confined", conflicts_with = "form")]
    describe: bool,
    /// The component to compile
    #[arg(required_unless_present = "confined", conflicts_with = "confined")]
    input: Option<PathBuf>,
    /// Where the compiled code goes
    #[arg(required_unless_present = "confined")]
    output: Option<PathBuf>,
}

fn main() -> ExitCode {
    let options = Options::parse();
    match fault::caught(|| run(options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Whoever started this program shows its words as one sentence.
            let lines: Vec<_> = format!("{error:#}").lines().map(|line| line.trim().to_owned()).collect();
            eprintln!("{}", lines.join(" "));
            ExitCode::FAILURE
        }
    }
}

fn run(options: Options) -> wasmtime::Result<()> {
    match (options.confined, options.input, options.output) {
        (false, Some(input), Some(output)) => compile_file(options.form, &input, &output),
        _ if options.describe => describe(),
        _ => compile(options.form),
    }
}

fn compile_file(form: Form, input: &PathBuf, output: &PathBuf) -> wasmtime::Result<()> {
    let wasm = std::fs::read(input).with_context(|| format!("cannot read {}", input.display()))?;
    let cannot = || format!("cannot compile {}", input.display());
    description::check(&wasm).map_err(Error::new).with_context(cannot)?;
    let code = engine(form)?.precompile_component(&wasm).with_context(cannot)?;
    // Written beside its place and renamed: a reader sees the old code or the new, never half.
    let part = output.with_extension("part");
    std::fs::write(&part, code).with_context(|| format!("cannot write {}", part.display()))?;
    std::fs::rename(&part, output).with_context(|| format!("cannot write {}", output.display()))
}

fn compile(form: Form) -> wasmtime::Result<()> {
    confinement::confine(Purpose::Compile).map_err(Error::new)?;
    let wasm = read()?;
    description::check(&wasm).map_err(Error::new)?;
    let code = engine(form)?.precompile_component(&wasm).context("it cannot be compiled")?;
    write(&code)
}

fn describe() -> wasmtime::Result<()> {
    confinement::confine(Purpose::Describe).map_err(Error::new)?;
    let description = description::describe(&read()?).map_err(Error::new)?;
    write(description.to_string().as_bytes())
}

fn engine(form: Form) -> wasmtime::Result<Engine> {
    let mut config = bulkhead_engine::config();
    form.configure(&mut config)?;
    Engine::new(&config)
}

fn read() -> wasmtime::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    io::stdin().lock().take(bounds::FILE as u64 + 1).read_to_end(&mut bytes).context("cannot read the component")?;
    if bytes.len() > bounds::FILE {
        return Err(Error::msg(format!("it is longer than {} MiB", bounds::FILE >> 20)));
    }
    Ok(bytes)
}

fn write(bytes: &[u8]) -> wasmtime::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(bytes).and_then(|()| out.flush()).context("cannot write what was made")
}
