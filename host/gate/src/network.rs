//! `network`: the addresses of network interfaces.

use crate::{Capability, Errno, Gate, GateError, InterfaceAddress};

/// How many addresses are listed at most. It bounds what a VM with runaway interfaces (containers leak them) can make the
/// agent hold; the largest hosts of containers have some thousands.
const ADDRESS_LIMIT: usize = 65_536;

impl Gate {
    /// The addresses of all interfaces.
    pub fn addresses(&self, module: &str) -> Result<Vec<InterfaceAddress>, GateError<Errno>> {
        self.require(module, Capability::Network, &[])?;
        Ok(self.system.addresses(ADDRESS_LIMIT)?)
    }
}
