//! `arguments`: the rest of a long request.

use super::Compartment;
use super::bindings::exports::bulkhead::agent::handler::ArgumentText;
use super::interface::arguments::Host;
use super::interface::types::{LongArguments, LongString};
use crate::runtime::limits;
use bulkhead_protocol::Request;

impl Host for Compartment {
    fn read(&mut self, offset: u64, length: u32) -> wasmtime::Result<Vec<u8>> {
        let wanted = (length as usize).min(limits::PIECE);
        let text = self.request_arguments().as_bytes();
        let from = usize::try_from(offset).unwrap_or(usize::MAX).min(text.len());
        let piece = text[from..text.len().min(from + wanted)].to_vec();
        self.called(piece.len())?;
        Ok(piece)
    }
}

impl Compartment {
    /// The arguments as the module is called with them.
    pub(crate) fn argument_text(&self) -> ArgumentText {
        let whole = self.request_arguments();
        if whole.len() <= limits::WHOLE_ARGUMENTS {
            return ArgumentText::Whole(whole.to_owned());
        }
        let text = self.request.as_ref().map(Request::short_arguments).unwrap_or_default();
        if text.len() > limits::SHORT_ARGUMENTS {
            return ArgumentText::TooLong;
        }
        let strings = self.request.iter().flat_map(Request::long_strings).map(|string| LongString {
            name: string.name,
            offset: string.place.start as u64,
            length: string.place.len() as u64,
            escaped: string.escaped,
        });
        ArgumentText::Long(LongArguments { text, strings: strings.collect() })
    }
}
