//! `guest-get-host-name`: the kernel's name for the VM, asked each time anew.

use crate::bindings::bulkhead::agent::identity;
use crate::schema::{GuestGetHostNameArguments, GuestHostName};
use crate::system;
use bulkhead_module::CommandError;

/// Tells the name.
pub fn host_name(_: GuestGetHostNameArguments) -> Result<GuestHostName, CommandError> {
    Ok(GuestHostName { host_name: system::text(&identity::uname().host_name) })
}
