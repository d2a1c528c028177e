//! Who asks: the one module that the request under way is given to.

use crate::{Gate, Refusal};
use bulkhead_catalog::Capability;
use bulkhead_policy::Asks;

/// What the module of the request under way asks of the gate.
///
/// It implements the border's trait of each capability whose whole state is the gate's, in that capability's file.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    pub(crate) gate: &'a Gate,
    pub(crate) module: &'a str,
}

impl Gate {
    /// What `module` asks. Who has it ask knows that the request under way is the module's: here its name is believed.
    pub fn asked_by<'a>(&'a self, module: &'a str) -> Asked<'a> {
        Asked { gate: self, module }
    }
}

impl Asked<'_> {
    /// Asks whether the module may use `capability` so.
    pub(crate) fn require<E>(&self, capability: Capability, asks: &Asks<'_>) -> Result<(), Refusal<E>> {
        self.gate.require(self.module, capability, asks)
    }
}
