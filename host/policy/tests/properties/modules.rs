//! On what terms modules run.

use crate::dice::{Dice, MODULES, POLICIES, VENDORS, file, policy, read};
use bulkhead_policy::{ModuleTerms, Policy};

/// The terms of every module that the properties look at, one of which no policy speaks by its name included.
pub(crate) fn terms(policy: &Policy) -> Vec<ModuleTerms> {
    MODULES.iter().chain(VENDORS).chain(&["net.stranger"]).map(|module| policy.module(module)).collect()
}

#[test]
fn the_order_of_module_rules_means_nothing() {
    let mut dice = Dice(0x30d);
    for _ in 0..POLICIES {
        let mut rules: Vec<_> = (0..4).map(|_| dice.module()).collect();
        let before = terms(&policy(&rules));
        rules.reverse();
        assert_eq!(terms(&policy(&rules)), before, "{}", rules.concat());
        rules.push(rules[dice.roll(4)].clone());
        assert_eq!(terms(&policy(&rules)), before, "nor does saying it twice: {}", rules.concat());
    }
}

/// What somebody said, somebody else can only make stricter; only what nobody said yet is open to both.
#[test]
fn another_module_rule_only_makes_it_stricter() {
    let mut dice = Dice(0x571c7);
    let everything = "[[module]]\nnames = [\"*\"]\nreplace = true\nprobation = 3\n\
                      strikes = { failures = 9, seconds = 9 }\nreason = \"dice\"\n";
    let mut changed = 0;
    for _ in 0..POLICIES {
        let mut rules = vec![everything.to_owned(), dice.module(), dice.module()];
        let before = terms(&policy(&rules));
        rules.push(dice.module());
        let after = terms(&policy(&rules));
        changed += usize::from(before != after);
        for (old, new) in before.iter().zip(&after) {
            assert!(old.may_replace >= new.may_replace, "{}", rules.concat());
            assert!(old.probation <= new.probation, "{}", rules.concat());
            let (old, new) = (old.strikes, new.strikes);
            let stricter = new.failures < old.failures || (new.failures == old.failures && new.within >= old.within);
            assert!(stricter, "{}", rules.concat());
        }
    }
    assert!(changed > 1000, "only {changed} policies changed");
}

#[test]
fn a_module_is_replaced_if_a_rule_says_yes_and_none_says_no() {
    let mut dice = Dice(0x2e9);
    for _ in 0..POLICIES {
        let rules = dice.rules();
        let policy = read(&file(&rules));
        let says = |module: &str, word| policy.modules.iter().any(|it| it.concerns(module) && it.replace == Some(word));
        for module in MODULES {
            let may = says(module, true) && !says(module, false);
            assert_eq!(policy.module(module).may_replace, may, "{}", rules.concat());
        }
    }
}
