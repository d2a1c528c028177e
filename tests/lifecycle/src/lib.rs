//! The agent as a process, seen from outside.
//!
//! The tests start the real binary as an operator would and look at it the way an operator can: through its channel,
//! its exit status, its files and `/proc`. What they share is here.
//!
//! Nothing here freezes a file system. A test that needs a frozen agent starts one on a state directory that says so,
//! as after a crash, and thaws it: to thaw what is not frozen changes nothing (`FITHAW` fails with `EINVAL`).
#![allow(clippy::missing_panics_doc, reason = "a failed helper fails the test that called it")]

mod around;
mod daemons;
mod ending;
mod frozen;
mod hung;
mod line;
mod process;
mod system_log;

pub use around::{soon, warnings};
pub use bulkhead_test_support::script;
pub use daemons::Daemons;
pub use ending::{Ended, Running, agent_in, refused, run_to_end, within};
pub use frozen::frozen_scratch;
pub use hung::{Answers, Hung, with_hung_file_systems};
pub use line::Line;
pub use process::{Memory, Process};
pub use system_log::{SystemLog, apart};
