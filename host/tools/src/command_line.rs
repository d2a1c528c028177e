//! `bulkhead policy ...`, `bulkhead module ...`, `bulkhead status` and `bulkhead audit ...`: from the words of the command line
//! to the tool.
//!
//! A tool writes what was asked for on its `out`, which is stdout, and nothing else; what went wrong goes to stderr. It ends
//! with 0 for good, 1 for bad, 2 for words that it does not understand.

use crate::authoring::{new, pack, try_out};
use crate::module::{disable, enable, gc, inspect, install, list, recompile, remove, rollback, verify};
use crate::policy::{cases, check, diff, explain, reload, schema, show, suggest};
use crate::which::{Where, Which};
use crate::{audit, status};
use clap::error::ContextKind;
use clap::{Parser, Subcommand};
use std::ffi::OsString;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::process::ExitCode;

/// The tools of a Bulkhead agent's owner, and of the authors of its modules.
///
/// The agent itself is another program: see `bulkhead-agent --help`.
#[derive(Debug, Parser)]
#[command(name = "bulkhead", version = bulkhead_host::VERSION, disable_help_subcommand = true)]
struct Tools {
    #[command(subcommand)]
    tool: Tool,
}

#[derive(Debug, Subcommand)]
enum Tool {
    /// Look at the policy, try it, and put it in force.
    ///
    /// A policy says what the client of this VM may have the agent do. It is read from /etc/bulkhead/policy.toml and the
    /// drop-ins in /etc/bulkhead/policy.d; its form is described in bulkhead-policy(5).
    #[command(subcommand_required = true, arg_required_else_help = true)]
    Policy {
        #[command(flatten)]
        which: Which,
        #[command(subcommand)]
        tool: PolicyTool,
    },
    /// Install guest modules, look after them, and write them.
    ///
    /// A guest module answers commands, from a compartment that reaches only what the module imports and the policy grants.
    /// Modules are installed from signed files while the agent runs.
    #[command(subcommand_required = true, arg_required_else_help = true)]
    Module {
        #[command(flatten)]
        r#where: Where,
        #[command(subcommand)]
        tool: ModuleTool,
    },
    /// Say how the agent is: whether it runs, with which policy and modules, and what became of modules that failed.
    Status(status::Options),
    /// Look at the audit: what the agent was asked, and what it did.
    #[command(subcommand_required = true, arg_required_else_help = true)]
    Audit {
        #[command(subcommand)]
        tool: AuditTool,
    },
}

#[derive(Debug, Subcommand)]
enum PolicyTool {
    /// Find what is wrong in policy files, and what is wider than it looks.
    Check(check::Options),
    /// Say which rule decides about a request, and what to change for another answer.
    Explain(explain::Options),
    /// Print the policy that is in force: all files and the profile together.
    Show(show::Options),
    /// Say what a client gains and loses between two policies.
    Diff(diff::Options),
    /// Write the smallest policy that would have allowed what an audit has seen.
    Suggest(suggest::Options),
    /// Try a policy with a table of requests and the decisions expected.
    Test(cases::Options),
    /// Have the running agent read its policy again.
    Reload(reload::Options),
    /// Print the JSON schema of policy files, for editors.
    Schema(schema::Options),
}

#[derive(Debug, Subcommand)]
enum AuditTool {
    /// Check that no line of an audit was changed, removed or moved.
    Verify(audit::Options),
}

#[derive(Debug, Subcommand)]
enum ModuleTool {
    /// Install a module, or a new version of one, from a signed file.
    Install(install::Options),
    /// List the modules: built in and installed.
    List(list::Options),
    /// Show what a module says of itself, what it can reach, who signed it, and what it would need.
    Inspect(inspect::Options),
    /// Check that what is installed is what was signed.
    Verify(verify::Options),
    /// Have a module run again that was disabled or is in quarantine.
    Enable(enable::Options),
    /// Have a module run no longer; what it replaces runs again.
    Disable(disable::Options),
    /// Go back to the version that ran before, or to the built-in module.
    Rollback(rollback::Options),
    /// Remove a module with all its versions.
    Remove(remove::Options),
    /// Remove from the disk what no module needs any more.
    Gc(gc::Options),
    /// Compile again what was compiled for another engine.
    Recompile(recompile::Options),
    /// Write a new module: a template that works.
    New(new::Options),
    /// Make a module of a component: add its manifest.
    Pack(pack::Options),
    /// Try a module with a table of requests, on a pretended system.
    Test(try_out::test::Options),
    /// Send one request to a module, and show its reply and what it asked the host for.
    Run(try_out::run::Options),
    /// Time a module.
    Bench(try_out::bench::Options),
}

/// The first words that call a tool.
const TOOLS: [&str; 6] = ["policy", "module", "status", "audit", "help", "version"];

/// The words of a command line that `help` and `version` stand for: `help policy check` is `policy check --help`. They begin with the
/// program's name.
pub fn unfolded(args: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut args: Vec<OsString> = args.into_iter().collect();
    match args.get(1) {
        Some(word) if word == "help" => {
            args.remove(1);
            // Of a word that calls no tool there is no help, but an error that names the nearest.
            if args.get(1).is_none_or(|tool| TOOLS.iter().any(|known| tool == known)) {
                args.push("--help".into());
            }
        }
        Some(word) if word == "version" => args[1] = "--version".into(),
        _ => {}
    }
    args
}

/// Runs the tool that `args` ask for. They begin with the program's name, as [`std::env::args_os`] does, and go on with
/// `policy`, `module`, `status` or `audit`.
pub fn run(args: impl Iterator<Item = OsString>) -> ExitCode {
    let tool = match Tools::try_parse_from(args) {
        Ok(tools) => tools.tool,
        Err(error) => {
            // Help goes to stdout and is no error. If nobody reads it, there is nobody to tell.
            let _ = error.print();
            if let Some(option) = is_meant_for_the_agent(&error) {
                eprintln!("\n{option} may be an option of the agent, which is another program: bulkhead-agent");
            }
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let mut out = BufWriter::new(io::stdout().lock());
    let ended = start(tool, &mut out).and_then(|code| Ok(out.flush().map(|()| code)?));
    match ended {
        Ok(code) => code,
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            // What was written before stands before what went wrong, also where both are one terminal.
            let _ = out.flush();
            eprintln!("bulkhead: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The first word that is not understood, if it is an option before any tool: most likely one of the agent's.
fn is_meant_for_the_agent(error: &clap::Error) -> Option<String> {
    let word =
        error.get(ContextKind::InvalidArg).filter(|_| error.kind() == clap::error::ErrorKind::UnknownArgument)?;
    let is_before_any_tool =
        error.get(ContextKind::Usage).is_some_and(|usage| usage.to_string().ends_with("bulkhead <COMMAND>"));
    is_before_any_tool.then(|| format!("'{word}'"))
}

fn start(tool: Tool, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    match tool {
        Tool::Audit { tool: AuditTool::Verify(options) } => audit::run(&options, out),
        Tool::Status(options) => status::run(&options, out),
        Tool::Module { r#where, tool } => match tool {
            ModuleTool::Install(options) => install::run(&r#where, &options, out),
            ModuleTool::List(options) => list::run(&r#where, &options, out),
            ModuleTool::Inspect(options) => inspect::run(&r#where, &options, out),
            ModuleTool::Verify(options) => verify::run(&r#where, &options, out),
            ModuleTool::Enable(options) => enable::run(&r#where, &options, out),
            ModuleTool::Disable(options) => disable::run(&r#where, &options, out),
            ModuleTool::Rollback(options) => rollback::run(&r#where, &options, out),
            ModuleTool::Remove(options) => remove::run(&r#where, &options, out),
            ModuleTool::Gc(options) => gc::run(&r#where, &options, out),
            ModuleTool::Recompile(options) => recompile::run(&r#where, &options, out),
            ModuleTool::New(options) => new::run(&options, out),
            ModuleTool::Pack(options) => pack::run(&options, out),
            ModuleTool::Test(options) => try_out::test::run(&r#where, &options, out),
            ModuleTool::Run(options) => try_out::run::run(&r#where, &options, out),
            ModuleTool::Bench(options) => try_out::bench::run(&r#where, &options, out),
        },
        Tool::Policy { which, tool } => match tool {
            PolicyTool::Check(options) => check::run(&which, &options, out),
            PolicyTool::Explain(options) => explain::run(&which, &options, out),
            PolicyTool::Show(options) => show::run(&which, &options, out),
            PolicyTool::Diff(options) => diff::run(&which, &options, out),
            PolicyTool::Suggest(options) => suggest::run(&which, &options, out),
            PolicyTool::Test(options) => cases::run(&which, &options, out),
            PolicyTool::Reload(options) => reload::run(&which.whose, &options, out),
            PolicyTool::Schema(options) => schema::run(&which, &options, out),
        },
    }
}

/// Whether the reader of stdout went away, as `head` does: it has seen enough.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::which::Program;
    use clap::CommandFactory;

    fn parse(words: &str) -> Result<Tool, clap::Error> {
        Tools::try_parse_from(words.split(' ')).map(|tools| tools.tool)
    }

    #[test]
    fn the_words_do_not_contradict_each_other() {
        Tools::command().debug_assert();
    }

    #[test]
    fn whose_policy_is_said_before_or_after_the_tool() {
        for words in ["bulkhead policy --policy /p --as qemu-ga show", "bulkhead policy show --policy /p --as qemu-ga"]
        {
            let Ok(Tool::Policy { which: Which { whose, .. }, tool: PolicyTool::Show(_) }) = parse(words) else {
                panic!("{words}")
            };
            assert_eq!((whose.policy, whose.program), (Some("/p".into()), Some(Program::QemuGa)));
        }
        let Ok(Tool::Policy { which, .. }) = parse("bulkhead policy show") else { panic!() };
        assert_eq!(which.whose.files().fallback.name, "standard");
        assert_eq!(which.store, std::path::Path::new(bulkhead_store::DEFAULT_STORE));
        let Ok(Tool::Policy { which, .. }) = parse("bulkhead policy show --store /s") else { panic!() };
        assert_eq!(which.store, std::path::Path::new("/s"));
    }

    #[test]
    fn every_tool_can_be_called_by_its_word() {
        for command in Tools::command().get_subcommands() {
            assert!(TOOLS.contains(&command.get_name()), "{}", command.get_name());
        }
    }

    #[test]
    fn help_and_version_are_options_too() {
        let unfolded = |words: &str| super::unfolded(words.split(' ').map(OsString::from)).join(" ".as_ref());
        for (words, meant) in [
            ("bulkhead help", "bulkhead --help"),
            ("bulkhead help policy check", "bulkhead policy check --help"),
            ("bulkhead help polciy", "bulkhead polciy"),
            ("bulkhead version", "bulkhead --version"),
            ("bulkhead policy help", "bulkhead policy help"),
            ("bulkhead", "bulkhead"),
        ] {
            assert_eq!(unfolded(words), meant);
        }
    }

    #[test]
    fn what_is_not_understood_ends_with_2() {
        for words in ["bulkhead", "bulkhead policy", "bulkhead policy shwo", "bulkhead audit verify --fast"] {
            assert_eq!(parse(words).unwrap_err().exit_code(), 2, "{words}");
        }
        assert_eq!(parse("bulkhead policy --help").unwrap_err().exit_code(), 0);
    }

    #[test]
    fn every_tool_is_explained() {
        fn look(command: &clap::Command) {
            assert!(command.get_about().is_some(), "{}", command.get_name());
            command.get_subcommands().for_each(look);
        }
        look(&Tools::command());
    }
}
