//! `bulkhead module bench`: how long a request takes.

use super::run::Before;
use super::stage::Stage;
use crate::which::Where;
use anyhow::bail;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// What the command line says.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The module. It need not be signed.
    file: PathBuf,
    /// The request as a client would send it, or the name of a command that needs no arguments.
    request: String,
    /// How many times it is sent. The first hundred, at most a tenth, are not counted: they find cold caches.
    #[arg(short = 'n', long, value_name = "N", default_value_t = 2000, value_parser = clap::value_parser!(u32).range(10..=1_000_000))]
    times: u32,
    #[command(flatten)]
    before: Before,
}

/// Runs the tool.
pub(crate) fn run(r#where: &Where, options: &Options, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let mut stage = Stage::open(&options.file, r#where.compiler.as_deref())?;
    options.before.set(&mut stage, &options.file)?;
    let answer = stage.answer(&options.request)?;
    if let Some(error) = answer.reply.as_ref().and_then(|reply| reply.get("error")) {
        bail!("the request fails, which is not worth timing: {error}");
    }
    let warm = (options.times / 10).min(100);
    let mut times = Vec::with_capacity(options.times as usize);
    for index in 0..warm + options.times {
        let time = stage.time(&options.request)?;
        if index >= warm {
            times.push(time);
        }
    }
    times.sort_unstable();
    let micros = |time: Duration| format!("{:.1} us", time.as_nanos() as f64 / 1000.0);
    writeln!(out, "requests         {}", options.times)?;
    writeln!(out, "median           {}", micros(quantile(&times, 50)))?;
    writeln!(out, "99th percentile  {}", micros(quantile(&times, 99)))?;
    writeln!(out, "slowest          {}", micros(quantile(&times, 100)))?;
    writeln!(out, "compiling, once  {:.1} ms", stage.loaded_in.as_secs_f64() * 1000.0)?;
    Ok(ExitCode::SUCCESS)
}

/// The time that so many in a hundred do not exceed. `times` are sorted and not empty.
fn quantile(times: &[Duration], percent: usize) -> Duration {
    times[(times.len() * percent).div_ceil(100).max(1) - 1]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_of_the_times_themselves() {
        let times: Vec<Duration> = (1..=200).map(Duration::from_micros).collect();
        assert_eq!(quantile(&times, 50), Duration::from_micros(100));
        assert_eq!(quantile(&times, 99), Duration::from_micros(198));
        assert_eq!(quantile(&times, 100), Duration::from_micros(200));
        assert_eq!(quantile(&times[..1], 50), Duration::from_micros(1));
    }
}
