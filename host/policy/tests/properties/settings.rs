//! How permitted uses are carried out, and what compartments may use.

use crate::asks::each_use;
use crate::dice::{Dice, MODULES, POLICIES, policy};
use bulkhead_policy::shape::Key;
use bulkhead_policy::{Ask, Grant, Limits, Policy, Value};

/// The settings of what decides, use by use; none where nothing is permitted.
pub(crate) fn settings(policy: &Policy) -> Vec<Option<Vec<Option<Value>>>> {
    let mut settings = Vec::new();
    each_use(policy, |_, _, _, verdict| {
        let of = |rule: &Grant| keys(rule).map(|key| rule.value(key.name).cloned()).collect();
        settings.push(verdict.rule.filter(|_| verdict.allowed).map(of));
    });
    settings
}

fn keys(rule: &Grant) -> impl Iterator<Item = &'static Key> {
    rule.shape.keys.iter().filter(|key| key.kind.is_setting())
}

/// How wide settings are, in a number each. No user is wider than another; so that one decides, the later in the alphabet is.
fn widths(policy: &Policy) -> Vec<Option<Vec<f64>>> {
    let width = |value: Option<Value>| match value {
        None => f64::INFINITY,
        Some(Value::Size(bytes)) => bytes as f64,
        Some(Value::Time(time)) => time.as_secs_f64(),
        Some(Value::Rate(rate)) => rate.bytes as f64 / rate.within.as_secs_f64(),
        Some(Value::User(user)) => user.bytes().next().map_or(0.0, f64::from),
        Some(other) => panic!("{other} is no setting"),
    };
    let settings = settings(policy).into_iter();
    settings.map(|it| it.map(|values| values.into_iter().map(width).collect())).collect()
}

fn limits(policy: &Policy) -> Vec<Limits> {
    MODULES.iter().map(|module| policy.limits(module)).collect()
}

#[test]
fn settings_and_limits_do_not_depend_on_the_order_of_rules() {
    let mut dice = Dice(0x0dde5);
    for _ in 0..POLICIES {
        let mut rules = dice.rules();
        rules.extend((0..4).map(|_| dice.permit_with_settings()));
        let before = (settings(&policy(&rules)), limits(&policy(&rules)));
        rules.reverse();
        let turn = dice.roll(rules.len().max(1));
        rules.rotate_left(turn);
        let after = policy(&rules);
        assert_eq!((settings(&after), limits(&after)), before, "{}", rules.concat());
    }
}

/// The first setting that differs is wider than before, if one does.
#[test]
fn one_more_permit_never_narrows_how_something_is_done() {
    let mut dice = Dice(0x71de);
    let mut wider = 0;
    for _ in 0..POLICIES {
        let mut rules = dice.rules();
        rules.extend((0..4).map(|_| dice.permit_with_settings()));
        let before = widths(&policy(&rules));
        rules.push(dice.permit_with_settings());
        let after = widths(&policy(&rules));
        for (before, after) in before.iter().zip(&after) {
            let Some(before) = before else { continue };
            assert!(after.as_ref().is_some_and(|after| after >= before), "{}", rules.concat());
            wider += usize::from(after.as_ref() != Some(before));
        }
    }
    assert!(wider > 200, "only {wider} uses became wider");
}

#[test]
fn one_more_limit_never_gives_more() {
    let mut dice = Dice(0x11317);
    fn narrower<T: Ord>(before: Option<T>, after: Option<T>) -> bool {
        before.is_none_or(|before| after.is_some_and(|after| after <= before))
    }
    for _ in 0..POLICIES {
        let mut rules = dice.rules();
        let before = limits(&policy(&rules));
        rules.push(dice.limit());
        for (before, after) in before.iter().zip(limits(&policy(&rules))) {
            let all = [
                narrower(before.memory, after.memory),
                narrower(before.deadline, after.deadline),
                narrower(before.handles, after.handles),
                narrower(before.children, after.children),
            ];
            assert!(!all.contains(&false), "{}", rules.concat());
        }
    }
}

#[test]
fn what_is_unrestricted_is_allowed_whatever_is_asked() {
    let mut dice = Dice(0xa11);
    let mut seen = 0;
    for _ in 0..POLICIES {
        let rules = dice.rules();
        let policy = policy(&rules);
        each_use(&policy, |module, shape, _, verdict| {
            if !policy.is_unrestricted(module, shape.capability) {
                return;
            }
            seen += 1;
            assert!(verdict.allowed, "{module} {}\n{}", shape.capability, rules.concat());
            let rule = verdict.rule.unwrap();
            assert!(keys(rule).all(|key| rule.value(key.name).is_none()), "it has settings: {}", rules.concat());
        });
    }
    assert!(seen > 1000, "only {seen} were unrestricted");
}

#[test]
fn what_is_allowed_is_granted_somehow() {
    let mut dice = Dice(0x50e0);
    for _ in 0..POLICIES {
        let rules = dice.rules();
        let policy = policy(&rules);
        each_use(&policy, |module, shape, asks, verdict| {
            if !verdict.allowed {
                return;
            }
            let any = |word| policy.grants_any(module, shape.capability, word);
            assert!(any(None), "{module} {}\n{}", shape.capability, rules.concat());
            for (_, ask) in asks {
                let Ask::Words(words) = ask else { continue };
                assert!(words.iter().all(|word| any(Some(word))), "{module} {words:?}\n{}", rules.concat());
            }
        });
    }
}
