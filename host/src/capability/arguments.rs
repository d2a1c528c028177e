//! `arguments`: the rest of a long request.

use super::Compartment;
use super::bindings::exports::bulkhead::agent::handler::ArgumentText;
use super::interface::arguments::Host;
use super::interface::types::{LongArguments, LongString};
use crate::bounds::limits;

impl Host for Compartment {
    fn read(&mut self, offset: u64, length: u32) -> wasmtime::Result<Vec<u8>> {
        let wanted = (length as usize).min(limits::PIECE);
        let text = self.request_arguments();
        let from = usize::try_from(offset).unwrap_or(usize::MAX).min(text.len());
        let piece = text[from..text.len().min(from + wanted)].to_vec();
        self.called(piece.len())?;
        Ok(piece)
    }

    fn base64_length(&mut self, offset: u64) -> wasmtime::Result<Option<u64>> {
        self.called(0)?;
        let begin = usize::try_from(offset).ok();
        Ok(self.request.as_ref().zip(begin).and_then(|(request, begin)| request.base64_length(begin)))
    }
}

impl Compartment {
    /// The arguments as the module is called with them.
    pub(crate) fn argument_text(&self) -> ArgumentText {
        let Some(request) = &self.request else { return ArgumentText::Whole("{}".to_owned()) };
        if request.argument_bytes().len() <= limits::WHOLE_ARGUMENTS {
            return ArgumentText::Whole(request.arguments().to_owned());
        }
        let text = request.short_arguments();
        if text.len() > limits::SHORT_ARGUMENTS {
            return ArgumentText::TooLong;
        }
        let strings = request.long_strings().map(|string| LongString {
            name: string.name,
            offset: string.place.start as u64,
            length: string.place.len() as u64,
            escaped: string.escaped,
        });
        ArgumentText::Long(LongArguments { text, strings: strings.collect() })
    }
}
