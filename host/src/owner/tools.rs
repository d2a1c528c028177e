//! `bulkhead policy ...` and `bulkhead audit ...`: from the words of the command line to the tool.
//!
//! A tool writes what was asked for on its `out`, which is stdout, and nothing else; what went wrong goes to stderr. It ends
//! with 0 for good, 1 for bad, 2 for words that it does not understand.

use super::{PolicyFiles, audit, cases, check, diff, explain, reload, schema, show, suggest};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::ffi::OsString;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::PathBuf;
use std::process::ExitCode;

/// A QEMU guest agent whose every command runs in a compartment: the tools of its owner.
///
/// Without one of these words it is the agent itself: see `bulkhead --help`.
#[derive(Debug, Parser)]
#[command(name = "bulkhead", version = crate::VERSION, disable_help_subcommand = true)]
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
        whose: Whose,
        #[command(subcommand)]
        tool: PolicyTool,
    },
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

/// Whose policy is meant.
#[derive(Clone, Debug, Args)]
pub(super) struct Whose {
    /// The policy's file; its drop-ins lie beside it, in policy.d.
    #[arg(long, global = true, value_name = "FILE", help_heading = "Which policy")]
    pub(super) policy: Option<PathBuf>,
    /// The name under which the agent is started: without a policy file, qemu-ga means the profile full, bulkhead standard.
    #[arg(long = "as", global = true, value_name = "NAME", default_value = "bulkhead", help_heading = "Which policy")]
    pub(super) program: Program,
}

/// A name under which the agent is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Program {
    /// Its own.
    Bulkhead,
    /// As a drop-in.
    QemuGa,
}

impl Whose {
    /// The files that the agent meant would read.
    pub(super) fn files(&self) -> PolicyFiles {
        let program = match self.program {
            Program::Bulkhead => "bulkhead",
            Program::QemuGa => "qemu-ga",
        };
        PolicyFiles::of(program, self.policy.as_deref())
    }
}

/// Runs the tool that `args` ask for. They begin with the program's name, as [`std::env::args_os`] does, and go on with
/// `policy` or `audit`.
pub fn run(args: impl Iterator<Item = OsString>) -> ExitCode {
    let tool = match Tools::try_parse_from(args) {
        Ok(tools) => tools.tool,
        Err(error) => {
            // Help goes to stdout and is no error. If nobody reads it, there is nobody to tell.
            let _ = error.print();
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

fn start(tool: Tool, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    match tool {
        Tool::Audit { tool: AuditTool::Verify(options) } => audit::run(&options, out),
        Tool::Policy { whose, tool } => match tool {
            PolicyTool::Check(options) => check::run(&whose, &options, out),
            PolicyTool::Explain(options) => explain::run(&whose, &options, out),
            PolicyTool::Show(options) => show::run(&whose, &options, out),
            PolicyTool::Diff(options) => diff::run(&whose, &options, out),
            PolicyTool::Suggest(options) => suggest::run(&whose, &options, out),
            PolicyTool::Test(options) => cases::run(&whose, &options, out),
            PolicyTool::Reload(options) => reload::run(&whose, &options, out),
            PolicyTool::Schema(options) => schema::run(&options, out),
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
            let Ok(Tool::Policy { whose, tool: PolicyTool::Show(_) }) = parse(words) else { panic!("{words}") };
            assert_eq!((whose.policy, whose.program), (Some("/p".into()), Program::QemuGa));
        }
        let Ok(Tool::Policy { whose, .. }) = parse("bulkhead policy show") else { panic!() };
        assert_eq!(whose.files().fallback.name, "standard");
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
