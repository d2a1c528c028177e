//! What requests cost the agent, phase by phase: processor time, page faults, context switches. A table of their own, since a
//! client sees nothing of them.

use crate::figures::{Better, Figures, Measured, median};
use crate::report::{number, ratio};
use crate::usage::Usage;

const CPU: &str = ", agent's CPU";
const FAULTS: &str = ", page faults";
const SWITCHES: &str = ", context switches";

/// The three figures of a phase with `count` requests.
pub(crate) fn per_request(phase: &str, used: Usage, count: usize) -> [Measured; 3] {
    let each = |what, unit, total: f64| {
        Measured::new(format!("{phase}{what}"), unit, Better::Lower, total / count as f64).detail()
    };
    [
        each(CPU, "µs", used.cpu_ns as f64 / 1e3),
        each(FAULTS, "each", used.faults as f64),
        each(SWITCHES, "each", used.switches as f64),
    ]
}

/// One row per phase.
pub(crate) fn print_table(figures: &Figures) {
    println!("\nWhat a request costs the agent: µs of processor time, page faults, context switches.\n");
    println!("{:<28} {:>9} {:>9} {:>6}   {:>9} {:>9}   {:>9} {:>9}", "", "CPU", "", "", "faults", "", "switches", "");
    println!(
        "{:<28} {:>9} {:>9} {:>6}   {:>9} {:>9}   {:>9} {:>9}",
        "phase", "qemu-ga", "bulkhead", "ratio", "qemu-ga", "bulkhead", "qemu-ga", "bulkhead"
    );
    for cpu in figures.iter() {
        let Some(phase) = cpu.name.strip_suffix(CPU) else { continue };
        let both = |what| {
            let figure = figures.named(&format!("{phase}{what}"));
            figure.map_or([f64::NAN; 2], |figure| [median(&figure.oracle), median(&figure.agent)]).map(number)
        };
        let ([faults, our_faults], [switches, our_switches]) = (both(FAULTS), both(SWITCHES));
        println!(
            "{phase:<28} {:>9} {:>9} {:>6}   {faults:>9} {our_faults:>9}   {switches:>9} {our_switches:>9}",
            number(median(&cpu.oracle)),
            number(median(&cpu.agent)),
            ratio(cpu.ratio()),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_are_shared_among_the_requests() {
        let used = Usage { cpu_ns: 8_000_000, faults: 400, switches: 1000 };
        let [cpu, faults, switches] = per_request("ping", used, 1000);
        assert_eq!([cpu.value, faults.value, switches.value], [8.0, 0.4, 1.0]);
        assert_eq!(cpu.name, "ping, agent's CPU");
    }
}
