//! `reply`: a long return, piece by piece.

use super::interface::reply::Host;
use super::{Compartment, broken_rule};
use crate::bounds::limits;
use bulkhead_protocol::NotOneValue;

impl Host for Compartment {
    fn append(&mut self, text: Vec<u8>) -> wasmtime::Result<()> {
        self.called(text.len())?;
        let appended = self.reply.append(&text);
        self.still_one_value(appended)
    }

    fn append_base64(&mut self, bytes: Vec<u8>) -> wasmtime::Result<()> {
        self.called(bytes.len())?;
        let appended = self.reply.append_base64(bytes);
        self.still_one_value(appended)
    }
}

impl Compartment {
    fn still_one_value(&self, appended: Result<(), NotOneValue>) -> wasmtime::Result<()> {
        appended.map_err(|why| match why {
            NotOneValue::DuplicateKey => broken_rule("the module's reply has an object with the same key twice"),
            _ => broken_rule("the module's reply is not one JSON value"),
        })?;
        if self.reply.length() > limits::REPLY {
            return Err(broken_rule("the module's reply is too long"));
        }
        Ok(())
    }
}
