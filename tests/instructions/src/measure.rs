//! Counting instructions, by valgrind.

use crate::cases::Case;
use anyhow::{Context, Result, anyhow, ensure};
use std::path::Path;
use std::process::Command;

/// What the C library of the program under valgrind does without, so that it takes the same road on every processor: that of
/// SSE2, which each has. Without this, valgrind counts each byte that `rep movsb` copies where a processor has it, and a long
/// request needs 275,000 instructions there instead of 169,000. A name that the C library does not know it ignores.
const TUNABLES: &str = "glibc.cpu.hwcaps=-AVX_Fast_Unaligned_Load,-AVX512F,-AVX512VL,-AVX512BW,-AVX2,-AVX,-BMI1,-BMI2,\
                        -ERMS,-FSRM,-LZCNT,-MOVBE,-RTM,-SSE4_2,-SSE4_1,-SSSE3";

/// How many instructions one repetition of `case` needs. `program` is this crate's.
///
/// It is run twice at the same time, once with twice the repetitions; the difference is theirs alone, without the start of
/// the program.
pub fn per_repetition(program: &Path, case: &Case) -> Result<u64> {
    let (once, twice) = std::thread::scope(|scope| {
        let twice = scope.spawn(|| total(program, case.name, 2 * case.count));
        (total(program, case.name, case.count), twice.join())
    });
    let (once, twice) = (once?, twice.map_err(|_| anyhow!("the thread that waits for valgrind panicked"))??);
    let difference = twice.checked_sub(once);
    let difference = difference.with_context(|| format!("{}: {once}, and with twice the work {twice}", case.name))?;
    Ok((difference + u64::from(case.count) / 2) / u64::from(case.count))
}

/// All instructions of a run. The environment is empty, as the program's stack begins with it.
fn total(program: &Path, case: &str, count: u32) -> Result<u64> {
    let mut command = Command::new("valgrind");
    command.env_clear().envs(std::env::var_os("PATH").map(|path| ("PATH", path))).env("GLIBC_TUNABLES", TUNABLES);
    command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
    let output = command.arg(program).args(["run", case, &count.to_string()]).output();
    let output = output.context("cannot run valgrind (Debian's package valgrind)")?;
    let told = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{case} failed under valgrind:\n{told}");
    counted(&told).with_context(|| format!("valgrind does not tell a number of instructions:\n{told}"))
}

/// The number in the line `==123== Collected : 1234567`.
fn counted(told: &str) -> Option<u64> {
    told.lines().find_map(|line| match line.split_whitespace().collect::<Vec<_>>()[..] {
        [_, "Collected", ":", number] => number.parse().ok(),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_is_found_in_what_valgrind_tells() {
        let told = "==7== Command: ./x\n==7== \n==7== Events    : Ir\n==7== Collected : 16234567\n";
        assert_eq!(counted(told), Some(16_234_567));
        assert_eq!(counted("==7== Command: Collected : 12\n"), None);
    }
}
