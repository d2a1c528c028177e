//! What agents do when there is nothing to do. All are watched at the same time.

use crate::figures::{Better, Figures, Measured, Who};
use crate::process::Agent;
use anyhow::Result;
use std::time::Duration;

/// After the last request; an agent may look around for a second before it comes to rest.
const UNTIL_REST: Duration = Duration::from_millis(2500);

/// How often the agents' threads wake up: their context switches in `time`.
pub(super) fn wake_ups(agents: &[(Who, Agent)], time: Duration, figures: &mut Figures) -> Result<()> {
    std::thread::sleep(UNTIL_REST);
    let before = agents.iter().map(|(_, agent)| agent.usage()).collect::<Result<Vec<_>>>()?;
    std::thread::sleep(time);
    for ((who, agent), before) in agents.iter().zip(before).filter(|((who, _), _)| *who != Who::Limit) {
        let switches = (agent.usage()? - before).switches as f64;
        let per_minute = switches * 60.0 / time.as_secs_f64();
        figures.record(*who, vec![Measured::new("wake-ups at rest", "1/min", Better::Lower, per_minute)]);
    }
    Ok(())
}
