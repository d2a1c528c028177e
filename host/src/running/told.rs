//! Figures that an agent tells when it is asked (SIGUSR1): they change with every request, and no request waits for them to be
//! written.

use bulkhead_broker::children;
use bulkhead_broker::counts::Counts;
use bulkhead_broker::{auditing, logging};
use bulkhead_config::KeyFile;
use std::cell::Cell;

/// The group in which they stand.
const GROUP: &str = "figures";

/// The figures of one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// How often it was asked.
    pub number: u64,
    /// When it was, in seconds since 1970.
    pub at: u64,
    /// What it was asked for.
    pub counts: Counts,
    /// What became of the audit's lines, if there is an audit.
    pub audit: Option<auditing::Figures>,
    /// What became of the log's.
    pub log: logging::Figures,
    /// How much it holds of programs' input and output.
    pub programs: children::Figures,
}

impl Told {
    pub(super) fn write(&self, file: &mut KeyFile) {
        let mut set = |key: &str, value: u64| file.set(GROUP, key, &value.to_string());
        let Told { number, at, counts, audit, log, programs } = self;
        [("number", *number), ("at", *at)].iter().for_each(|(key, value)| set(key, *value));
        let Counts { requests, refused, denied, failed, rejected } = counts;
        let named = [
            ("requests", requests),
            ("refused", refused),
            ("denied", denied),
            ("failed", failed),
            ("rejected", rejected),
        ];
        named.iter().for_each(|(key, count)| set(key, count.get()));
        let logging::Figures { written, repeated, left_out, lost } = *log;
        set("log-written", written);
        set("log-repeated", repeated);
        set("log-left-out", left_out);
        set("log-lost", lost);
        let children::Figures { known, held, most } = *programs;
        [("programs-known", known), ("programs-held", held), ("programs-most", most)]
            .iter()
            .for_each(|(key, value)| set(key, *value));
        if let Some(auditing::Figures { written, repeated, left_out, lost, failing }) = *audit {
            set("audit-written", written);
            set("audit-repeated", repeated);
            set("audit-left-out", left_out);
            set("audit-lost", lost);
            set("audit-failing", failing.into());
        }
    }

    /// Nothing, if they are not there: another version of the agent does not know the question.
    pub(super) fn read(file: &KeyFile) -> Option<Self> {
        let get = |key: &str| file.get(GROUP, key).ok().flatten()?.parse::<u64>().ok();
        let count = |key: &str| get(key).map(Cell::new);
        let audit = || {
            Some(auditing::Figures {
                written: get("audit-written")?,
                repeated: get("audit-repeated")?,
                left_out: get("audit-left-out")?,
                lost: get("audit-lost")?,
                failing: get("audit-failing")? > 0,
            })
        };
        Some(Told {
            number: get("number")?,
            at: get("at")?,
            counts: Counts {
                requests: count("requests")?,
                refused: count("refused")?,
                denied: count("denied")?,
                failed: count("failed")?,
                rejected: count("rejected")?,
            },
            audit: audit(),
            log: logging::Figures {
                written: get("log-written")?,
                repeated: get("log-repeated")?,
                left_out: get("log-left-out")?,
                lost: get("log-lost")?,
            },
            programs: children::Figures {
                known: get("programs-known")?,
                held: get("programs-held")?,
                most: get("programs-most")?,
            },
        })
    }
}
