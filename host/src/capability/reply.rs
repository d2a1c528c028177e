//! `reply`: a long return, piece by piece.

use super::interface::reply::Host;
use super::{Compartment, broken_rule};
use crate::runtime::limits;

impl Host for Compartment {
    fn append(&mut self, text: Vec<u8>) -> wasmtime::Result<()> {
        self.called(text.len())?;
        if self.reply.len() + text.len() > limits::REPLY {
            return Err(broken_rule("the module's reply is too long"));
        }
        self.checker.feed(&text).map_err(|_| broken_rule("the module's reply is not one JSON value"))?;
        self.reply.extend_from_slice(&text);
        Ok(())
    }
}
