//! What the owner's policy is asked about two requests: opening a file, starting a program.

use super::{Case, Repetition};
use bulkhead_catalog::{commands, modules};
use bulkhead_policy::{Ask, Asks, Document, Mode, Policy};
use bulkhead_test_support::policies::{many, narrow};
use std::hint::black_box;

pub(super) const CASES: &[Case] = &[
    Case {
        name: "policy-full",
        what: "a file and a program, under the profile full",
        count: 500,
        prepare: || decided("version = 1\nprofile = \"full\"\n"),
    },
    Case {
        name: "policy-narrow",
        what: "the same, under one tree and one program",
        count: 500,
        prepare: || decided(&narrow()),
    },
    Case {
        name: "policy-many",
        what: "the same, under these among two hundred rules more",
        count: 50,
        prepare: || decided(&many()),
    },
];

/// Asks what the dispatcher and the gate ask, of a policy that allows it.
fn decided(text: &str) -> Repetition {
    let (commands, modules) = (commands::names(), modules::names());
    let document = Document::parse("policy.toml", text, &commands, &modules);
    let policy = document.and_then(|document| Policy::merge([document], &commands, &modules));
    let policy = policy.unwrap_or_else(|error| panic!("{error}"));
    Box::new(move || {
        let policy = black_box(&policy);
        let opened = [
            ("trees", Ask::Within { surely: &["/etc"], perhaps: &[], path: b"/etc/hostname" }),
            ("access", Ask::Words(&["read"])),
            ("links", Ask::Flag(false)),
            ("special", Ask::Flag(false)),
        ];
        assert!(is_allowed(policy, "guest-file-open", "file", "files", &opened));
        let started = [
            ("programs", Ask::Path(b"/usr/bin/true")),
            ("arguments", Ask::Arguments(&[])),
            ("environment", Ask::Names(&[])),
        ];
        assert!(is_allowed(policy, "guest-exec", "exec", "processes", &started));
    })
}

/// Where everything is permitted, the gate does not find out what it would ask about.
fn is_allowed(policy: &Policy, command: &str, module: &str, capability: &str, asks: &Asks<'_>) -> bool {
    let ruling = policy.command(black_box(command), false, |_| 0);
    let asks = if policy.is_unrestricted(module, capability) { &[] } else { black_box(asks) };
    ruling.mode == Mode::Enforce && black_box(policy.judge(module, capability, asks)).allowed
}
