//! What policies are asked.

use crate::dice::{COMMANDS, MODULES, PATHS, VENDORS};
use bulkhead_policy::shape::{Kind, SHAPES, Shape};
use bulkhead_policy::{Ask, Asks, Mode, Policy, Verdict};
use std::time::Duration;

const ASKED: [&[&[u8]]; 4] = [&[b"root"], &[b"alice"], &[b"bob", b"root"], &[]];

/// How many different things are asked of each capability.
const VARIANTS: usize = 4;

/// Every decision that the properties look at: commands first, then uses of capabilities.
pub(crate) fn decisions(policy: &Policy) -> (Vec<Mode>, Vec<bool>) {
    let mut modes = Vec::new();
    for command in COMMANDS.iter().chain(&["__com.example_run", "__org.bulkhead_x"]) {
        for (frozen, calls) in [(false, 0), (true, 0), (false, 9)] {
            modes.push(policy.command(command, frozen, |_| calls).mode);
        }
    }
    let mut allowed = Vec::new();
    each_use(policy, |_, _, _, verdict| allowed.push(verdict.allowed));
    (modes, allowed)
}

/// Asks about every use that the properties look at: module, capability, what is asked for, and what the policy says.
pub(crate) fn each_use(policy: &Policy, mut look: impl FnMut(&str, &Shape, &Asks<'_>, Verdict<'_>)) {
    let arguments = [b"-x".to_vec(), b"y".to_vec()];
    for module in MODULES.iter().chain(VENDORS) {
        for shape in SHAPES {
            for variant in 0..VARIANTS {
                let word = |words: &'static [&'static str]| &words[..=(variant % words.len())];
                let asks: Vec<(&str, Ask<'_>)> = shape
                    .keys
                    .iter()
                    .filter(|key| !key.kind.is_setting())
                    .map(|key| {
                        let ask = match key.kind {
                            Kind::Words(words) => Ask::Words(word(words)),
                            Kind::Names => Ask::Names(ASKED[variant]),
                            Kind::FileNames => Ask::File { name: b"f", has_others: variant % 2 == 1 },
                            Kind::Paths | Kind::Patterns => Ask::Path(PATHS[variant].as_bytes()),
                            // The gate finds everything to lie in the root, if a rule names it.
                            Kind::Trees => {
                                Ask::Within { surely: &PATHS[..=variant], perhaps: &PATHS[variant..], path: b"/a/f" }
                            }
                            Kind::Numbers => Ask::Number(i64::try_from(variant).unwrap()),
                            Kind::AtMost => Ask::Amount(Duration::from_secs(60 * variant as u64)),
                            Kind::Flag => Ask::Flag(variant % 2 == 1),
                            Kind::Templates => Ask::Arguments(&arguments[..variant.min(2)]),
                            Kind::Size | Kind::Time | Kind::Rate | Kind::User => {
                                unreachable!("settings are not asked for")
                            }
                        };
                        (key.name, ask)
                    })
                    .collect();
                look(module, shape, &asks, policy.judge(module, shape.capability, &asks));
            }
        }
    }
}
