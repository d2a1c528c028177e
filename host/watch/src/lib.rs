//! What tells the agent of changes, within tokio. Apart from the package bulkhead-os, since the side that rules and acts is to have no
//! tokio; it needs no privilege.

mod watch;

mod socket_watch;

mod folder_watch;

mod addition_watch;

pub use addition_watch::{Added, AdditionWatch};
pub use folder_watch::{Aim, FolderWatch};
pub use nix::errno::Errno;
pub use socket_watch::SocketWatch;
pub use watch::Watch;
