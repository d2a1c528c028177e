//! How the conversation looks: two lines per exchange, with QEMU's arrows.

use crate::script::Step;
use bulkhead_test_support::Reply;
use std::fs::File;
use std::io::IsTerminal;
use std::process::{Command, Stdio};
use std::time::Duration;

/// The width of a log file, and of a terminal that does not tell its own.
const DEFAULT_WIDTH: usize = 100;
/// What stands before the arrow: the module's name and the time.
const MARGIN: usize = 19;

const BOLD: &str = "1";
const DIM: &str = "2";
const YELLOW: &str = "33";

/// Prints to standard output, in colour only if that is a terminal and `NO_COLOR` is not set.
pub(crate) struct Table {
    width: usize,
    colour: bool,
}

impl Table {
    pub(crate) fn for_stdout() -> Self {
        let terminal = std::io::stdout().is_terminal();
        let width = if terminal { terminal_width() } else { None };
        Table { width: width.unwrap_or(DEFAULT_WIDTH), colour: terminal && std::env::var_os("NO_COLOR").is_none() }
    }

    pub(crate) fn header(&self, command: &str) {
        println!("{}", self.paint(BOLD, command));
    }

    pub(crate) fn legend(&self) {
        println!("-> sent, <- answered by this guest module (-: refused by the host) after so many microseconds\n");
        println!("{}", self.paint(DIM, &format!("{:<10} {:>6}", "module", "µs")));
    }

    /// Text of a file, a little to the right.
    pub(crate) fn quote(&self, text: &str) {
        text.lines().for_each(|line| println!("    {line}"));
    }

    pub(crate) fn chapter(&self, text: &str) {
        println!("\n{}", self.paint(DIM, &format!("# {text}")));
    }

    pub(crate) fn row(&self, step: &Step, reply: &Reply, time: Duration) {
        let room = self.width.saturating_sub(MARGIN + "-> ".len());
        let module = step.module.unwrap_or("-");
        println!("{:<10} {:>6}  -> {}", module, time.as_micros(), shorten(&step.request, room));
        let sentinel = if reply.sentinel { r"\xff" } else { "" };
        let answer = shorten(&format!("{sentinel}{}", reply.text), room);
        let refused = reply.value.get("error").is_some();
        println!("{:MARGIN$}<- {}", "", if refused { self.paint(YELLOW, &answer) } else { answer });
    }

    /// The last line, of the times of all requests.
    pub(crate) fn sum(&self, mut times: Vec<Duration>) {
        times.sort_unstable();
        let (count, total, median) = (times.len(), times.iter().sum::<Duration>(), times[times.len() / 2]);
        let text = format!(
            "{count} requests, {count} replies as they should be, in {} µs (median {} µs).",
            total.as_micros(),
            median.as_micros()
        );
        println!("\n{}", self.paint(BOLD, &text));
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// The text if it has room, else its beginning, an ellipsis and its end: of a path, or an error, the end says the most.
fn shorten(text: &str, room: usize) -> String {
    let (length, end) = (text.chars().count(), room / 2);
    if length <= room || end < 3 {
        return text.to_owned();
    }
    let begin: String = text.chars().take(room - end - 1).collect();
    let end: String = text.chars().skip(length - end).collect();
    format!("{begin}…{end}")
}

/// Asks stty(1): the ioctl behind it is `unsafe`, which is not worth it for a demo.
fn terminal_width() -> Option<usize> {
    let terminal = File::open("/dev/tty").ok()?;
    let size = Command::new("stty").arg("size").stdin(terminal).stderr(Stdio::null()).output().ok()?;
    let size = String::from_utf8(size.stdout).ok()?;
    // A terminal of unknown size says 0.
    size.split_whitespace().nth(1)?.parse().ok().filter(|width| *width > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_to_the_room_and_keeps_both_ends() {
        let text = format!("{{\"return\": \"{}\"}}", "é".repeat(200));
        let short = shorten(&text, 60);
        assert_eq!(short.chars().count(), 60);
        assert!(short.starts_with("{\"return\"") && short.ends_with("é\"}"));
    }

    #[test]
    fn a_short_text_stays() {
        assert_eq!(shorten("{}", 60), "{}");
    }
}
