//! The audit: one line for each command, for the owner to keep. Here is what stands in a line; how lines are chained and
//! kept is `bulkhead-audit`'s business. docs/audit.md describes every member.

mod arguments;

pub use arguments::{add as shown, spoken};
pub use bulkhead_audit::{Figures, Limits};

use crate::rulings::{By, Ruling};
use bulkhead_audit::{Entry, Kind, Members, Notice, Trail};
use bulkhead_border::request::{End, Timing};
use bulkhead_catalog::commands::Installed;
use bulkhead_gate::Judgements;
use bulkhead_policy::Mode;
use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::{Duration, SystemTime};

/// Where systemd's journal listens.
const JOURNAL: &str = "/run/systemd/journal/socket";

/// Bytes of a permit that are shown, for `bulkhead policy suggest` to read; a longer one is left out. It bounds a line where
/// a client names a path of a megabyte.
const PERMIT: usize = 1024;

/// Bytes of an unknown command's name that are shown. It bounds the same; no command of any agent has half as many.
const NAME: usize = 80;

/// Bytes of what is said to be wrong with a message. It bounds the same where the front is broken; an honest one says a sentence.
const PROBLEM: usize = 200;

/// Where the lines go. Clones write to the same place.
#[derive(Clone, Debug, Default)]
pub struct Audit(Option<Rc<RefCell<Trail>>>);

/// A request, and what became of it.
#[derive(Debug)]
pub(crate) struct Line<'a> {
    /// When it came.
    pub(crate) time: SystemTime,
    /// The name of the command, whether there is such a command or not.
    pub(crate) command: &'a str,
    /// What it is about.
    pub(crate) kind: Kind,
    /// What is known of it, if it is not built in.
    pub(crate) installed: Option<&'static Installed>,
    /// What the front tells of it: arguments, sizes.
    pub(crate) told: &'a End,
    /// What the dispatcher said.
    pub(crate) ruling: &'a Ruling,
    /// What the gate said.
    pub(crate) judgements: &'a Judgements,
    /// What ran; nothing if nothing did.
    pub(crate) ran: Option<Ran>,
    /// The time that the rules about commands took.
    pub(crate) ruled_in: Duration,
    /// `ok`, the class of the error, or `failed`.
    pub(crate) outcome: &'static str,
}

/// The module that answered.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) module: &'static str,
    /// The SHA-256 of its code or, if it is not built in, of its component.
    pub(crate) digest: Option<Rc<str>>,
    pub(crate) timing: Timing,
}

impl Audit {
    /// An audit in `file`, in the journal, in both or, by default, nowhere. Nothing is opened before the first line.
    pub fn new(file: Option<PathBuf>, journal: bool, limits: Limits) -> Self {
        if file.is_none() && !journal {
            return Audit::default();
        }
        let trail = Trail::new(file, journal.then(|| JOURNAL.into()), run(), limits);
        Audit(Some(Rc::new(RefCell::new(trail))))
    }

    /// Whether there is one.
    pub fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// What became of its lines; nothing if there is none.
    pub fn figures(&self) -> Option<Figures> {
        self.0.as_ref().map(|trail| trail.borrow().figures())
    }

    /// From now on lines are kept in memory: file systems are frozen.
    pub fn hold(&self) {
        if let Some(trail) = &self.0 {
            trail.borrow_mut().hold();
        }
    }

    /// Writes what was kept, and lines to come at once.
    pub fn release(&self) {
        self.with(|trail| trail.release());
    }

    /// Opens the file again with the next line, wherever its path leads then.
    pub fn reopen(&self) {
        if let Some(trail) = &self.0 {
            trail.borrow_mut().reopen();
        }
    }

    /// The agent has started, with the policy of this digest.
    pub fn started(&self, policy: &str) {
        self.event("start", None, |members| {
            members.text("agent", crate::VERSION).text_or_null("boot", random("boot_id").as_deref());
            members.number("pid", std::process::id().into()).text("policy", policy);
        });
    }

    /// The policy was replaced; both by their digests.
    pub fn policy_changed(&self, before: &str, after: &str) {
        self.event("policy", None, |members| _ = members.text("before", before).text("policy", after));
    }

    /// Another version of a module serves, by the digests of both; none stands for the built-in module, or for none at all.
    pub fn module_changed(&self, module: &str, before: Option<&str>, after: Option<&str>, why: &str) {
        self.event("module", None, |members| {
            members.text("module", module).text_or_null("before", before).text_or_null("digest", after);
            members.text("why", why);
        });
    }

    /// The agent before this one ended in the middle of a call of a module, of which the digest is known; without a command it was made
    /// ready for one.
    pub fn ended_in(&self, module: &str, digest: &str, command: &str) {
        let command = (!command.is_empty()).then_some(command);
        self.event("died", None, |members| {
            members.text("module", module).text("digest", digest).text_or_null("command", command);
        });
    }

    /// The agent ends.
    pub fn stopped(&self) {
        self.event("stop", None, |_| ());
    }

    /// A message came that is not a request.
    pub(crate) fn rejected(&self, problem: &str) {
        let problem = &problem[..problem.floor_char_boundary(PROBLEM)];
        // Where in the client's bytes it was is another place each time.
        let like = problem.trim_start_matches(|it: char| it.is_ascii_digit() || [':', ' '].contains(&it));
        self.event("rejected", Some(like), |members| _ = members.text("problem", problem));
    }

    /// A request was answered.
    pub(crate) fn answered(&self, line: &Line<'_>) {
        self.with(|trail| {
            let mut members = trail.begin(line.time);
            let like = line.write(&mut members);
            let (decision, outcome, command) = (decision(line.ruling.mode), line.outcome, line.name());
            let denied = line.judgements.list.iter().any(|judgement| !judgement.allowed);
            let priority = if outcome == "failed" {
                3
            } else if denied || line.ruling.mode == Mode::Deny {
                4
            } else {
                6
            };
            let message = format!("{command}: {decision}, {outcome}");
            let mut fields = vec![("BULKHEAD_COMMAND", command), ("BULKHEAD_DECISION", decision.to_owned())];
            fields.push(("BULKHEAD_OUTCOME", outcome.to_owned()));
            fields.extend(line.ran.as_ref().map(|ran| ("BULKHEAD_MODULE", ran.module.to_owned())));
            let like = (denied || line.ruling.mode == Mode::Deny).then(|| format!("{outcome} {like}"));
            trail.record(Entry { members, message, priority, fields, kind: line.kind, like })
        });
    }

    /// Something that is not a command; `like` says what of it, if a client can cause it as often as it likes.
    fn event(&self, event: &'static str, like: Option<&str>, fill: impl FnOnce(&mut Members)) {
        self.with(|trail| {
            let mut members = trail.begin(SystemTime::now());
            members.text("event", event);
            fill(&mut members);
            let message = format!("the audit notes: {event}");
            let fields = vec![("BULKHEAD_EVENT", event.to_owned())];
            let kind = if like.is_some() { Kind::Rejected } else { Kind::Event };
            trail.record(Entry { members, message, priority: 6, fields, kind, like: like.map(str::to_owned) })
        });
    }

    /// What the owner should hear of is told outside: a line of the log must not find the trail in use.
    fn with(&self, act: impl FnOnce(&mut Trail) -> Option<Notice>) {
        let Some(trail) = &self.0 else { return };
        let notice = act(&mut trail.borrow_mut());
        match notice {
            None => {}
            Some(Notice::Failing(error)) => {
                let place = trail.borrow().place();
                tracing::error!(
                    "the audit cannot be written to {place} ({error}); commands run on, and their lines are counted"
                );
            }
            Some(Notice::Recovered(lost)) => {
                tracing::warn!("the audit can be written again; {lost} lines were lost, which is on record");
            }
            Some(Notice::TooFast(kind)) => {
                let kind = kind.word();
                tracing::warn!(
                    "the audit leaves out '{kind}' lines, which come faster than audit-rate; it has their number"
                );
            }
        }
    }
}

impl Line<'_> {
    /// The command's name as it may stand in a line.
    fn name(&self) -> String {
        self.command[..self.command.floor_char_boundary(NAME)].escape_debug().to_string()
    }

    /// Returns what of it is the same if the same is asked again and decided again.
    fn write(&self, members: &mut Members) -> String {
        let begin = members.as_str().len();
        let rule = (self.ruling.by != By::NoRule).then(|| self.ruling.by.to_string());
        members.text("command", &self.name());
        let told = &self.told.arguments;
        members.object("arguments", |shown| arguments::add(shown, self.command, self.installed, told));
        if self.told.unknown > 0 {
            members.number("unknown", self.told.unknown);
        }
        members.text("decision", decision(self.ruling.mode)).text_or_null("rule", rule.as_deref());
        members.list("judgements", self.judgements.list.iter(), |judgement, inner| {
            inner.text("capability", judgement.capability.name()).text("module", &judgement.module);
            inner.truth("allowed", judgement.allowed);
            let rule = judgement.rule.as_ref().map(ToString::to_string);
            inner.text_or_null("rule", rule.as_deref()).number("times", judgement.times.into());
            // What no permit would allow is not to be learnt.
            match judgement.permit.as_ref().filter(|_| judgement.beyond.is_none()) {
                Some(permit) if !judgement.allowed && permit.len() <= PERMIT => _ = inner.text("permit", permit),
                _ => {}
            }
        });
        if self.judgements.forgotten > 0 {
            members.number("forgotten", self.judgements.forgotten.into());
        }
        let like = members.as_str()[begin..].to_owned();
        let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let policy = self.ruled_in + self.judgements.time;
        members.text_or_null("module", self.ran.as_ref().map(|ran| ran.module));
        members.text_or_null("digest", self.ran.as_ref().and_then(|ran| ran.digest.as_deref()));
        members.object("us", |inner| {
            inner.number("policy", micros(policy));
            if let Some(Ran { timing, .. }) = &self.ran {
                inner.number("instance", micros(timing.instance));
                inner.number("module", micros(timing.call.saturating_sub(timing.host)));
                inner.number("host", micros(timing.host.saturating_sub(self.judgements.time)));
            }
        });
        members.object("bytes", |inner| _ = inner.number("in", self.told.asked).number("out", self.told.replied));
        members.text("outcome", self.outcome);
        like
    }
}

fn decision(mode: Mode) -> &'static str {
    match mode {
        Mode::Enforce => "allow",
        Mode::Observe => "observe",
        Mode::Deny => "deny",
    }
}

/// A name for this run of the agent that no other has.
fn run() -> String {
    let unique = || format!("{}-{}", std::process::id(), bulkhead_audit::rfc3339(SystemTime::now()));
    random("uuid").map_or_else(unique, |uuid| uuid.chars().filter(char::is_ascii_hexdigit).take(16).collect())
}

/// What the kernel's random number generator has to tell; nothing where there is no /proc.
fn random(what: &str) -> Option<String> {
    let text = std::fs::read_to_string(format!("/proc/sys/kernel/random/{what}")).ok()?;
    Some(text.trim_end().to_owned())
}
