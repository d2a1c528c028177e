//! What was measured: one list of values per figure and agent, and what follows from it.

use serde_json::{Value, json};

/// Whose value it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    Oracle,
    Agent,
    /// The program that does only what no agent can avoid. Few phases have it.
    Limit,
}

/// Which direction is an improvement.
#[derive(Clone, Copy)]
pub(crate) enum Better {
    Lower,
    Higher,
}

impl Better {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Better::Lower => "lower",
            Better::Higher => "higher",
        }
    }
}

/// One value of one run, as a phase reports it.
pub(crate) struct Measured {
    /// The figure's name, unique among all phases.
    pub(crate) name: String,
    pub(crate) unit: &'static str,
    pub(crate) better: Better,
    /// Whether the first table shows it; the JSON file shows everything.
    pub(crate) in_table: bool,
    pub(crate) value: f64,
}

impl Measured {
    pub(crate) fn new(name: impl Into<String>, unit: &'static str, better: Better, value: f64) -> Self {
        Measured { name: name.into(), unit, better, in_table: true, value }
    }

    /// Leaves it out of the first table.
    pub(crate) fn detail(self) -> Self {
        Measured { in_table: false, ..self }
    }
}

/// All runs' values of one figure.
pub(crate) struct Figure {
    pub(crate) name: String,
    pub(crate) unit: &'static str,
    pub(crate) better: Better,
    pub(crate) in_table: bool,
    pub(crate) oracle: Vec<f64>,
    pub(crate) agent: Vec<f64>,
    pub(crate) limit: Vec<f64>,
}

impl Figure {
    /// The agent's value divided by qemu-ga's, run by run, and of these the median: both values of a run were taken
    /// right after each other, so a slow minute of the machine cancels out.
    pub(crate) fn ratio(&self) -> f64 {
        paired_ratio(&self.agent, &self.oracle)
    }

    /// The same, of the agent's value and the limit's.
    pub(crate) fn ratio_to_limit(&self) -> f64 {
        paired_ratio(&self.agent, &self.limit)
    }

    pub(crate) fn json(&self) -> Value {
        let side = |values: &[f64]| json!({"median": median(values), "spread": spread(values), "all": values});
        json!({
            "name": self.name, "unit": self.unit, "better": self.better.word(),
            "qemu-ga": side(&self.oracle), "bulkhead": side(&self.agent),
            "limit": Some(&self.limit).filter(|limit| !limit.is_empty()).map(|limit| side(limit)),
            // JSON has no infinity: no ratio where the other value is 0 or was not measured.
            "ratio": Some(self.ratio()).filter(|ratio| ratio.is_finite()),
            "ratio to limit": Some(self.ratio_to_limit()).filter(|ratio| ratio.is_finite()),
        })
    }
}

/// All figures, in the order in which they were first recorded.
#[derive(Default)]
pub(crate) struct Figures(Vec<Figure>);

impl Figures {
    /// Adds the values of one run.
    pub(crate) fn record(&mut self, who: Who, values: Vec<Measured>) {
        for Measured { name, unit, better, in_table, value } in values {
            let known = self.0.iter().position(|figure| figure.name == name).unwrap_or_else(|| {
                let [oracle, agent, limit] = [Vec::new(), Vec::new(), Vec::new()];
                self.0.push(Figure { name, unit, better, in_table, oracle, agent, limit });
                self.0.len() - 1
            });
            match who {
                Who::Oracle => self.0[known].oracle.push(value),
                Who::Agent => self.0[known].agent.push(value),
                Who::Limit => self.0[known].limit.push(value),
            }
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Figure> {
        self.0.iter()
    }

    pub(crate) fn named(&self, name: &str) -> Option<&Figure> {
        self.iter().find(|figure| figure.name == name)
    }
}

/// Value by value `these` divided by `those`, and of the ratios the median.
pub(crate) fn paired_ratio(these: &[f64], those: &[f64]) -> f64 {
    let ratios: Vec<f64> = these.iter().zip(those).map(|(this, that)| this / that).collect();
    median(&ratios)
}

/// The middle value; of an even number of values the mean of the two middle ones; of none, not a number.
pub(crate) fn median(values: &[f64]) -> f64 {
    let sorted = sorted(values);
    match sorted.len() {
        0 => f64::NAN,
        length if length % 2 == 1 => sorted[length / 2],
        length => f64::midpoint(sorted[length / 2 - 1], sorted[length / 2]),
    }
}

/// The value that 99 of 100 values do not exceed; of no values, not a number.
pub(crate) fn percentile_99(values: &[f64]) -> f64 {
    quantile(values, 0.99)
}

/// The smallest value that this part of all values, from 0 to 1, does not exceed; of no values, not a number.
pub(crate) fn quantile(values: &[f64], part: f64) -> f64 {
    let sorted = sorted(values);
    let rank = (sorted.len() as f64 * part).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(f64::NAN)
}

/// How far the runs lie apart: largest minus smallest, as a part of the median (0.1 is ten percent).
pub(crate) fn spread(values: &[f64]) -> f64 {
    let sorted = sorted(values);
    match (sorted.first(), sorted.last()) {
        (Some(first), Some(last)) if last > first => (last - first) / median(values),
        _ => 0.0,
    }
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_percentiles_and_spread() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
        assert_eq!(spread(&[9.0, 10.0, 12.0]), 0.3);
        assert_eq!(spread(&[5.0]), 0.0);
        let hundred: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        assert_eq!(percentile_99(&hundred), 99.0);
        assert_eq!(percentile_99(&[7.0]), 7.0);
        let thousand: Vec<f64> = (1..=1000).map(f64::from).collect();
        assert_eq!([0.0, 0.5, 0.999, 1.0].map(|part| quantile(&thousand, part)), [1.0, 500.0, 999.0, 1000.0]);
        assert!(quantile(&[], 0.5).is_nan());
    }

    #[test]
    fn a_ratio_pairs_the_values_of_a_run() {
        let mut figures = Figures::default();
        // The machine was ten times slower in the second run; the agent always needs half of qemu-ga's time.
        for (oracle, agent) in [(10.0, 5.0), (100.0, 50.0), (12.0, 6.0)] {
            figures.record(Who::Oracle, vec![Measured::new("ping", "µs", Better::Lower, oracle)]);
            figures.record(Who::Agent, vec![Measured::new("ping", "µs", Better::Lower, agent)]);
        }
        let ping = figures.iter().next().expect("one figure");
        assert_eq!((ping.oracle.len(), ping.ratio()), (3, 0.5));
        assert!(ping.ratio_to_limit().is_nan(), "there was no limit");
    }
}
