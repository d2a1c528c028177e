//! What is true of every policy, shown on some thousands that nobody wrote.

mod asks;
mod dice;
mod modules;
mod schema;
mod settings;
mod text;
mod validator;

use asks::decisions;
use bulkhead_policy::Mode;
use bulkhead_policy::shape::SHAPES;
use dice::{Dice, POLICIES, policy};

#[test]
fn the_order_of_rules_means_nothing() {
    let mut dice = Dice(0x5eed);
    for _ in 0..POLICIES {
        let mut rules = dice.rules();
        let before = decisions(&policy(&rules));
        rules.reverse();
        let turn = dice.roll(rules.len().max(1));
        rules.rotate_left(turn);
        assert_eq!(decisions(&policy(&rules)), before, "{}", rules.concat());
    }
}

#[test]
fn forbidding_and_denying_never_allow_more() {
    let mut dice = Dice(0xf0b1d);
    for _ in 0..POLICIES {
        let mut rules = dice.rules();
        let (modes, allowed) = decisions(&policy(&rules));
        rules.push(dice.grant("forbid"));
        rules.push(dice.command(&["deny"]));
        let (stricter, fewer) = decisions(&policy(&rules));
        assert!(modes.iter().zip(&stricter).all(|(before, after)| after >= before), "{}", rules.concat());
        assert!(allowed.iter().zip(&fewer).all(|(before, after)| *before || !after), "{}", rules.concat());
    }
}

#[test]
fn permitting_never_denies_more() {
    let mut dice = Dice(0x9e3171);
    for _ in 0..POLICIES {
        let mut rules = dice.rules();
        let (modes, allowed) = decisions(&policy(&rules));
        rules.push(dice.grant("permit"));
        rules.push(dice.command(&["enforce", "observe"]));
        let (laxer, more) = decisions(&policy(&rules));
        let runs = |mode: &Mode| *mode != Mode::Deny;
        assert!(modes.iter().zip(&laxer).all(|(before, after)| !runs(before) || runs(after)), "{}", rules.concat());
        assert!(allowed.iter().zip(&more).all(|(before, after)| !before || *after), "{}", rules.concat());
    }
}

#[test]
fn what_is_forbidden_without_conditions_is_denied_whatever_permits_it() {
    let mut dice = Dice(0xdeed);
    for _ in 0..POLICIES / 4 {
        let mut rules = dice.rules();
        for shape in SHAPES {
            rules.push(format!("[[forbid]]\ncapability = {:?}\nreason = \"all of it\"\n", shape.capability));
        }
        rules.push("[[command]]\nnames = [\"*\"]\nmode = \"deny\"\n".to_owned());
        let (modes, allowed) = decisions(&policy(&rules));
        assert!(modes.iter().all(|mode| *mode == Mode::Deny) && !allowed.contains(&true), "{}", rules.concat());
    }
}

#[test]
fn the_properties_look_at_policies_that_differ() {
    let mut dice = Dice(0x5eed);
    let (mut yes, mut no) = (0, 0);
    for _ in 0..500 {
        let (_, allowed) = decisions(&policy(&dice.rules()));
        yes += allowed.iter().filter(|allowed| **allowed).count();
        no += allowed.iter().filter(|allowed| !**allowed).count();
    }
    assert!(yes > 1000 && no > 1000, "{yes} allowed, {no} denied");
}
