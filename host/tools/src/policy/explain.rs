//! `bulkhead policy explain`: which rule decides about a request, and what to change for another answer.

use super::rehearse::{Decision, Rehearsed};
use super::suggest::narrow::both;
use crate::which::Which;
use bulkhead_broker::rulings::{By, missing};
use bulkhead_catalog::commands;
use bulkhead_catalog::modules;
use bulkhead_gate::{Beyond, Judgement};
use bulkhead_policy::{CommandRule, Document, Grant, Mode, Origin, Policy, Value};
use std::fmt::Write as _;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

/// How long a line of plain words is, in characters.
const WIDTH: usize = 100;

/// How many uses that one rule decides about are told one by one. A report reads hundreds of files by the same rule.
const TOLD: usize = 3;

/// How many system files are listed in a permit before it is about all of them.
const LISTED: usize = 8;

/// What the command line says.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The request as a client would send it, such as '{"execute":"guest-exec","arguments":{"path":"/bin/id"}}'; or the
    /// name of a command that needs no arguments.
    request: String,
    /// As if file systems were frozen.
    #[arg(long)]
    frozen: bool,
}

/// Runs the tool.
pub(crate) fn run(which: &Which, options: &Options, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let files = which.files();
    let policy = files.load()?.policy;
    let rehearsed = which.stage()?.rehearse(&policy, &options.request, options.frozen)?;
    write!(out, "{}", explain(&rehearsed, &policy, &files.file.with_file_name("policy.d")))?;
    Ok(ExitCode::SUCCESS)
}

/// The answer, in a paragraph of plain words, and the lines to add to a file in the folder `drop_ins`.
pub fn explain(rehearsed: &Rehearsed, policy: &Policy, drop_ins: &Path) -> String {
    let name = rehearsed.command.name;
    let verdict = match rehearsed.decision() {
        Decision::Allow => "is allowed",
        Decision::Observe => "is only observed: what is denied is done nevertheless, and logged",
        Decision::Deny => "is denied",
    };
    let state = if rehearsed.frozen { " while file systems are frozen" } else { "" };
    let mut words = vec![format!("{name}{state} {verdict}.")];
    words.extend(about_the_command(rehearsed, policy));
    words.extend(about_its_uses(rehearsed, policy));
    words.extend(about_interfaces(rehearsed, policy));
    words.extend(about_the_client(rehearsed));
    if !rehearsed.notes.is_empty() {
        words.push(format!("On this machine {}.", rehearsed.notes.join("; ")));
    }
    if rehearsed.decision() != Decision::Deny && !rehearsed.frozen {
        words.push("Not looked at here are the lists -b and -a, which can only take away.".to_owned());
    }
    let mut text = wrapped(&words.join(" "));
    text += &changes(rehearsed, policy, &drop_ins.join(format!("{name}.toml")));
    text
}

fn about_the_command(rehearsed: &Rehearsed, policy: &Policy) -> Vec<String> {
    let said = |rule: &CommandRule| format!("{}{}", rule.origin, because(rule.reason.as_deref()));
    let mut words = vec![match (&rehearsed.rule, rehearsed.ruling.mode) {
        _ if rehearsed.ruling.by == By::Frozen && rehearsed.command.allowed_while_frozen => format!(
            "Its module says that it may run while file systems are frozen; the agent believes it only if the policy does \
             too, in a rule with while = \"frozen\" that names {}.",
            rehearsed.command.name
        ),
        _ if rehearsed.ruling.by == By::Frozen => {
            "The agent refuses it whatever the policy says: while file systems are frozen only commands run that do not \
             write to a disk."
                .to_owned()
        }
        _ if rehearsed.ruling.by == By::Thaw => "No policy is asked about it: what is frozen must thaw.".to_owned(),
        (None, _) => "No rule of the policy permits the command.".to_owned(),
        (Some(rule), _) if rehearsed.ruling.by == By::NoGrant => format!(
            "The command is permitted by {}; but it is of no use, and refused, without a grant of {}.",
            said(rule),
            missing(&rehearsed.command, policy).join(" and ")
        ),
        (Some(rule), Mode::Deny) => format!("The command is denied by {}.", said(rule)),
        (Some(rule), Mode::Observe) => format!("The command runs in observe mode by {}.", said(rule)),
        (Some(rule), Mode::Enforce) => format!("The command is permitted by {}.", said(rule)),
    }];
    words.extend(rehearsed.paces.iter().filter_map(|rule| {
        let pace = rule.faster_than?;
        let calls = if pace.calls == 1 { "call" } else { "calls" };
        Some(format!("After {} {calls} in {} s it is denied by {}.", pace.calls, pace.within.as_secs(), said(rule)))
    }));
    words
}

/// One sentence for each rule that decides about something that the command asks for.
fn about_its_uses(rehearsed: &Rehearsed, policy: &Policy) -> Vec<String> {
    let mut groups: Vec<Vec<&Judgement>> = Vec::new();
    for judgement in &rehearsed.judgements.list {
        let key = |it: &Judgement| (it.capability, it.allowed, it.beyond, it.rule.clone());
        match groups.iter_mut().find(|group| key(group[0]) == key(judgement) && group[0].module == judgement.module) {
            Some(group) => group.push(judgement),
            None => groups.push(vec![judgement]),
        }
    }
    let would = if rehearsed.is_refused() { "would ask" } else { "asks" };
    let told = |group: &Vec<&Judgement>| {
        let mut uses: Vec<_> = group.iter().filter_map(|it| condition(it)).collect();
        let more = uses.len().saturating_sub(TOLD);
        uses.truncate(TOLD);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let uses = if uses.is_empty() { String::new() } else { format!(" with {}{more}", uses.join("; ")) };
        let rule = group[0].rule.as_ref();
        let reason = because(rule.and_then(|origin| find(policy, origin)).map(|rule| rule.reason.as_str()));
        let verdict = match (group[0].beyond, group[0].allowed, rule) {
            (Some(Beyond::Frozen), ..) => {
                "while file systems are frozen nobody gets it, whatever permits it".to_owned()
            }
            (Some(Beyond::List), ..) => "the agent gives such a module none of these, whatever permits them".to_owned(),
            (None, true, Some(rule)) => format!("{rule}{reason} permits it"),
            (None, false, Some(rule)) => format!("{rule}{reason} forbids it"),
            (None, _, None) => "no rule permits it".to_owned(),
        };
        format!("Module {} {would} for {}{uses}: {verdict}.", group[0].module, group[0].capability)
    };
    let mut words: Vec<String> = groups.iter().map(told).collect();
    if groups.is_empty() && !rehearsed.is_refused() {
        words.push("It asks for nothing that a permit is needed for.".to_owned());
    }
    words
}

/// What the owner says of network interfaces, if the command tells of these.
fn about_interfaces(rehearsed: &Rehearsed, policy: &Policy) -> Option<String> {
    let network = policy.network.as_ref().filter(|_| rehearsed.command.name.starts_with("guest-network-get-"))?;
    let named = |names: &[String]| names.iter().map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ");
    let mut words = Vec::new();
    if !network.exclude.is_empty() {
        words.push(format!("interfaces called {} are left out", named(&network.exclude)));
    }
    if rehearsed.command.name == "guest-network-get-interfaces" {
        let primary = network.primary.as_deref().unwrap_or_default();
        let mut places = vec!["those that have a default route", "the others"];
        let preferred = named(primary);
        if !primary.is_empty() {
            places.insert(0, &preferred);
        }
        words.push(format!("the order is: {}", places.join(", then ")));
    }
    let because = because(network.reason.as_deref());
    (!words.is_empty()).then(|| format!("By {}{because} {}.", network.origin, words.join("; ")))
}

fn about_the_client(rehearsed: &Rehearsed) -> Vec<String> {
    let error = |key: &str| rehearsed.reply.as_ref()?.pointer(key)?.as_str();
    let mut words = vec![match (error("/error/class"), error("/error/desc")) {
        (Some(class), Some(desc)) => format!("The client would read: {class}, \"{desc}\"."),
        _ if rehearsed.reply.is_none() => "The client would get no reply, as always if it succeeds.".to_owned(),
        _ => "The client would get its answer.".to_owned(),
    }];
    if rehearsed.is_refused() {
        words.push("guest-info tells clients that the command is disabled.".to_owned());
    }
    words
}

/// What to add, and what to take away, for another answer.
fn changes(rehearsed: &Rehearsed, policy: &Policy, drop_in: &Path) -> String {
    let name = rehearsed.command.name;
    let command = |mode: &str| format!("[[command]]\nnames = [\"{name}\"]\nmode = \"{mode}\"\nreason = \"\"\n");
    let paste = |what: &str, rules: Vec<String>| {
        let rules = format!("version = 1\n\n{}", rules.join("\n"));
        format!("\n{what} put this into {}, with the reason:\n\n{}", drop_in.display(), indented(&rules))
    };
    if rehearsed.ruling.by == By::Frozen && rehearsed.command.allowed_while_frozen {
        let rule = command("enforce").replace("reason", "while = \"frozen\"\nreason");
        return paste("To let it run while file systems are frozen,", vec![rule]);
    }
    if matches!(rehearsed.ruling.by, By::Frozen | By::Thaw) {
        return String::new();
    }
    if rehearsed.decision() == Decision::Allow {
        return paste("To deny it,", vec![command("deny")]);
    }
    let (mut text, mut rules, mut permits) = (String::new(), Vec::new(), Vec::new());
    match (&rehearsed.rule, rehearsed.ruling.mode) {
        _ if rehearsed.ruling.by == By::NoGrant => {}
        (Some(rule), Mode::Deny) => text += &in_the_way(&rule.origin, &rule.to_string()),
        (None, _) | (_, Mode::Observe) => rules.push(command("enforce")),
        _ => {}
    }
    let mut seen: Vec<&Origin> = Vec::new();
    for denied in rehearsed.denied() {
        match &denied.rule {
            _ if denied.beyond.is_some() => {}
            Some(origin) if seen.contains(&origin) => {}
            Some(origin) => {
                seen.push(origin);
                text += &in_the_way(origin, &find(policy, origin).map(Grant::to_string).unwrap_or_default());
            }
            None => match denied.permit.as_deref().map(permit) {
                Some(Some(permit)) => permits.push(permit),
                Some(None) => {
                    text += "\nNo permit can say just this: the name that was asked for would stand for everybody.\n";
                }
                None => text += "\nThe permit for just this is too long to be shown.\n",
            },
        }
    }
    rules.extend(few(permits).iter().map(|rule| format!("{}{rule}", stars(rule))));
    if !rules.is_empty() {
        text += &paste(if text.is_empty() { "To allow it," } else { "Also" }, rules);
    }
    text
}

/// The permit that a judgement tells; nothing if none can be written that permits this and no more.
fn permit(text: &str) -> Option<Grant> {
    let text = format!("version = 1\n[[permit]]\n{text}");
    Document::parse("judgement", &text, &commands::names(), &modules::names()).ok()?.grants.pop()
}

/// As few permits as say the same. What would be a list of many system files is all of those that the module may read.
fn few(permits: Vec<Grant>) -> Vec<Grant> {
    let mut few: Vec<Grant> = Vec::new();
    for permit in permits {
        match few.iter_mut().find_map(|known| both(known, &permit).map(|both| (known, both))) {
            Some((known, both)) => *known = both,
            None => few.push(permit),
        }
    }
    for (_, value) in few.iter_mut().flat_map(|permit| &mut permit.values) {
        match value {
            Value::Patterns(patterns) if patterns.len() > LISTED => *patterns = vec!["*".to_owned()],
            _ => {}
        }
    }
    few
}

/// A remark on a permit in which what was asked for has a meaning of its own.
fn stars(rule: &Grant) -> &'static str {
    let is_star = |text: &String| text == "*" || text == "**";
    let has_star = rule.values.iter().any(|(_, value)| match value {
        Value::Texts(texts) => texts.iter().any(is_star),
        Value::Templates(templates) => templates.iter().flatten().any(is_star),
        Value::Patterns(patterns) => patterns.iter().any(is_star),
        _ => false,
    });
    if has_star { "# A star stands for more than itself: see that this is what you mean.\n" } else { "" }
}

/// A rule that no other can undo.
fn in_the_way(origin: &Origin, rule: &str) -> String {
    let how = match origin.file.strip_prefix("profile ") {
        Some(profile) => format!("No rule can undo this one, of the profile {profile}; start from another profile"),
        None => format!("No rule can undo this one, in {origin}; change it or remove it"),
    };
    format!("\n{how}:\n\n{}", indented(rule))
}

/// The rule at a place of the policy.
fn find<'a>(policy: &'a Policy, origin: &Origin) -> Option<&'a Grant> {
    policy.grants.iter().find(|rule| rule.origin == *origin)
}

/// What is asked for, as the permit has it that would allow it; nothing if it is the capability as such.
pub(crate) fn condition(judgement: &Judgement) -> Option<String> {
    let is_condition = |line: &&str| {
        let key = line.split(' ').next().unwrap_or_default();
        // A permit must say these, though nothing of the kind was asked for.
        !["capability", "modules", "reason"].contains(&key) && !line.ends_with("= []")
    };
    let lines: Vec<_> = judgement.permit.as_deref()?.lines().filter(is_condition).collect();
    (!lines.is_empty()).then(|| lines.join(", "))
}

fn because(reason: Option<&str>) -> String {
    reason.filter(|reason| !reason.is_empty()).map_or(String::new(), |reason| format!(" ({reason})"))
}

fn indented(text: &str) -> String {
    text.lines().map(|line| if line.is_empty() { "\n".to_owned() } else { format!("    {line}\n") }).collect()
}

/// The words in lines. What a client chose to be long stays in one piece, and what would move a terminal's cursor is
/// shown as what it is.
fn wrapped(words: &str) -> String {
    let (mut text, mut column) = (String::new(), 0);
    let plain = |it: char| if it.is_control() { it.escape_default().to_string() } else { it.to_string() };
    let words: String = words.chars().map(plain).collect();
    for word in words.split_whitespace() {
        let length = word.chars().count();
        let separator = match column {
            0 => "",
            column if column + 1 + length > WIDTH => "\n",
            _ => " ",
        };
        column = if separator == " " { column + 1 + length } else { length };
        // Writing to a string does not fail.
        let _ = write!(text, "{separator}{word}");
    }
    text + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_before_they_are_long() {
        let text = wrapped(&"word ".repeat(50));
        assert!(text.lines().all(|line| line.len() <= WIDTH) && text.lines().count() == 3, "{text}");
        assert_eq!(wrapped(&"x".repeat(200)).lines().count(), 1);
        assert_eq!(wrapped("a\x1b[2J\nb"), "a\\u{1b}[2J\\nb\n");
    }

    #[test]
    fn what_a_permit_must_say_is_not_what_was_asked() {
        let judgement = |permit: &str| Judgement {
            module: "hotplug".to_owned(),
            capability: bulkhead_catalog::Capability::Hotplug,
            allowed: false,
            rule: None,
            permit: Some(permit.to_owned()),
            beyond: None,
            times: 1,
        };
        let permit =
            "capability = \"hotplug\"\nmodules = [\"hotplug\"]\nprocessors = []\nmemory = true\nreason = \"\"\n";
        assert_eq!(condition(&judgement(permit)).as_deref(), Some("memory = true"));
        assert_eq!(condition(&judgement("capability = \"clock\"\nreason = \"\"\n")), None);
    }
}
