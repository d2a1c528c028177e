//! `log`: a module's lines for the owner.

use super::Compartment;
use super::interface::log::{Host, Level};
use crate::bounds::limits;

impl Host for Compartment {
    fn write(&mut self, level: Level, text: String) -> wasmtime::Result<()> {
        self.called(text.len())?;
        self.lines += 1;
        if self.lines > limits::LOG_LINES {
            return Ok(());
        }
        let (module, text) = (self.module, printable(&text));
        match level {
            Level::Error => tracing::error!("module {module}: {text}"),
            Level::Warning => tracing::warn!("module {module}: {text}"),
            Level::Info => tracing::info!("module {module}: {text}"),
            Level::Debug => tracing::debug!("module {module}: {text}"),
        }
        Ok(())
    }
}

/// One line, at most [`limits::LOG_LINE`] bytes of it, that can neither forge a second one nor move a terminal's cursor.
fn printable(text: &str) -> String {
    let mut line = String::new();
    for character in text.chars() {
        if character.is_control() {
            line.extend(character.escape_default());
        } else {
            line.push(character);
        }
        if line.len() >= limits::LOG_LINE {
            line.push_str("...");
            break;
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_stays_one_line() {
        assert_eq!(printable("a\nb\x1b[2Jé"), "a\\nb\\u{1b}[2Jé");
        assert_eq!(printable(&"x".repeat(5000)).len(), limits::LOG_LINE + 3);
    }
}
