//! Policies written and read again.

use crate::asks::{decisions, each_use};
use crate::dice::{COMMANDS, Dice, MODULES, POLICIES, file, policy, read};
use crate::modules::terms;
use crate::settings::settings;
use bulkhead_policy::{Ask, Document, Policy, Rule, permit_for};

fn all(policy: &Policy) -> impl PartialEq + std::fmt::Debug {
    let limits: Vec<_> = ["file", "exec", "report"].iter().map(|module| policy.limits(module)).collect();
    (decisions(policy), settings(policy), limits, terms(policy))
}

#[test]
fn a_rule_that_is_written_is_the_rule_that_was_read() {
    let mut dice = Dice(0x2e4de2);
    for _ in 0..POLICIES {
        let policy = policy(&dice.rules());
        let texts: Vec<String> = policy.rules().map(|rule| rule.to_string()).collect();
        let again: Vec<String> = read(&file(&texts)).rules().map(|rule| rule.to_string()).collect();
        assert_eq!(texts, again);
    }
}

#[test]
fn the_canonical_text_decides_the_same() {
    let mut dice = Dice(0xca70);
    for _ in 0..POLICIES {
        let mut rules = dice.rules();
        let before = policy(&rules);
        let text = before.canonical();
        assert_eq!(all(&read(&text)), all(&before), "{text}");
        assert_eq!(read(&text).canonical(), text);
        rules.reverse();
        assert_eq!(policy(&rules).canonical(), text, "the order means nothing");
    }
}

#[test]
fn a_permit_that_is_needless_can_be_left_out() {
    let mut dice = Dice(0x2eed1e);
    let mut seen = 0;
    for _ in 0..POLICIES * 2 {
        let mut rules = dice.rules();
        rules.extend((0..6).map(|_| dice.grant("permit")));
        let policy = policy(&rules);
        let needless = |at: &usize| {
            let (others, rule) = (&policy.grants, &policy.grants[*at]);
            others.iter().enumerate().any(|(other, it)| other != *at && it.makes_needless(rule))
        };
        let Some(at) = (0..policy.grants.len()).find(needless) else { continue };
        seen += 1;
        let mut without = policy.clone();
        without.grants.remove(at);
        assert_eq!(all(&without), all(&policy), "{}\nbut not without\n{}", rules.concat(), policy.grants[at]);
    }
    assert!(seen > 200, "only {seen} had one");
}

#[test]
fn rules_with_the_same_canonical_text_are_one() {
    let rules = ["[[limit]]\nhandles = 3\nreason = \"x\"\n", "[[limit]]\nreason = \"y\"\nhandles = 3\n"];
    let policy = policy(&rules.map(str::to_owned));
    let texts: Vec<String> = policy.rules().map(Rule::canonical).collect();
    assert_eq!(texts[0], texts[1]);
    assert_eq!(policy.canonical().matches("[[limit]]").count(), 1);
}

#[test]
fn the_permit_for_what_is_denied_allows_it() {
    let mut dice = Dice(0xadd);
    let mut seen = 0;
    for _ in 0..POLICIES / 8 {
        let rules = dice.rules();
        each_use(&policy(&rules), |module, shape, asks, verdict| {
            // Where something lies is for the gate to find out, so nothing is known of a new tree here.
            // No pattern matches the root itself, and whoever asks for a user asks for one.
            let never = [("files", Ask::Path(b"/")), ("users", Ask::Names(&[]))];
            let never = asks.iter().any(|ask| never.contains(ask));
            if verdict.rule.is_some() || shape.capability == "files" || never {
                return;
            }
            seen += 1;
            let permit = format!("[[permit]]\n{}", permit_for(module, shape.capability, asks, true));
            let more = policy(&[rules.concat(), permit.clone()]);
            assert!(more.judge(module, shape.capability, asks).allowed, "{asks:?}\n{permit}");
        });
    }
    assert!(seen > 1000, "only {seen} were denied");
}

/// Broken files are told of, whatever is broken: the place of a fault is inside of the file, and nothing panics.
#[test]
fn whatever_is_in_a_file_is_read_or_refused() {
    let mut dice = Dice(0xb20ce2);
    let pieces =
        ["[", "]", "\"", "=", "\n", "{", "}", "'''", "#", ".", "\\", "é", "-1", "1e9", "[[permit]]\n", "inf", "\0"];
    let mut refused = 0;
    for _ in 0..POLICIES {
        let mut text = file(&dice.rules());
        for _ in 0..=dice.roll(3) {
            let at = text.floor_char_boundary(dice.roll(text.len() + 1));
            match dice.roll(3) {
                0 => text.truncate(at),
                1 => text.insert_str(at, pieces[dice.roll(pieces.len())]),
                _ => drop(text.drain(at..text.floor_char_boundary((at + dice.roll(9)).min(text.len())))),
            }
        }
        let (_, errors) = Document::read("broken", &text, COMMANDS, MODULES);
        refused += usize::from(!errors.is_empty());
        let lines = text.matches('\n').count() + 1;
        assert!(errors.iter().all(|error| (1..=lines).contains(&error.origin.line)), "{text}");
        assert!(errors.is_sorted_by_key(|error| &error.origin), "{errors:?}");
    }
    assert!(refused > 1000, "only {refused} were refused");
}
