//! `arguments`: the rest of a long request.

use super::Compartment;
use super::interface::arguments::Host;
use crate::runtime::limits;

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
