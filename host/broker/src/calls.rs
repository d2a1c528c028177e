//! What the module of the request that is open asks: each capability, and who answers for it.

use super::{Broker, Offence};
use bulkhead_border::{
    Answer, Call, accounts, agent, clock, clock_setting, disks, files, freezer, hotplug, identity, mounts, network,
    power, processes, system_files, trimmer,
};
use bulkhead_catalog::commands::Command;
use bulkhead_catalog::{Capability, worlds};

/// What the module of the request that is open asks of what the broker keeps.
pub(super) struct Asked<'a> {
    pub(super) broker: &'a mut Broker,
    pub(super) module: &'static str,
}

/// Each capability: who answers its calls, the gate alone or the broker with what it keeps.
macro_rules! answered_by {
    ($($name:ident $room:ident: $who:ident),* $(,)?) => {
        fn capability(call: &Call) -> Capability {
            match call {
                $(Call::$name(_) => Capability::$name,)*
            }
        }

        impl Broker {
            fn answer(&mut self, module: &'static str, call: Call) -> Answer {
                match call {
                    $(Call::$name(call) => Answer::$name($room::serve(&mut answered_by!(self, module, $who), call)),)*
                }
            }
        }
    };
    ($broker:expr, $module:expr, gate) => { $broker.gate.asked_by($module) };
    ($broker:expr, $module:expr, broker) => { Asked { broker: $broker, module: $module } };
}

answered_by! {
    Agent agent: broker,
    Files files: broker,
    Mounts mounts: gate,
    Freezer freezer: broker,
    Trimmer trimmer: gate,
    Power power: gate,
    Processes processes: broker,
    SystemFiles system_files: gate,
    Network network: gate,
    Identity identity: gate,
    Disks disks: gate,
    Clock clock: gate,
    ClockSetting clock_setting: gate,
    Hotplug hotplug: gate,
    Accounts accounts: gate,
}

impl Broker {
    /// Answers a call of the request of this number.
    pub(super) fn call(&mut self, request: u64, call: Call) -> Result<Answer, Offence> {
        let command = self.running(request)?;
        let (module, capability) = (command.module, capability(&call));
        if !self.imports(&command, capability) {
            return Err(Offence::NotImported(module, capability));
        }
        Ok(self.answer(module, call))
    }

    /// Whether the module of `command` imports the capability: what serves does as it was found to when it was put in place, and
    /// what is built in by its world.
    fn imports(&self, command: &Command, capability: Capability) -> bool {
        match (self.serving.get(command.module), command.installed) {
            (Some(serving), _) => serving.imports.contains(&capability),
            (None, Some(installed)) => installed.imports.contains(&capability.name()),
            (None, None) => worlds::may_import(command.module, capability),
        }
    }
}
