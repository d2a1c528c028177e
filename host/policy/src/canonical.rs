//! A policy as one text that depends on nothing but what is in force.

use crate::document::VERSION;
use crate::policy::Policy;
use crate::rule::Rule;
use std::collections::BTreeSet;

impl Policy {
    /// All rules, those of the profile included, sorted, each once, without reasons and places: two policies with the same
    /// text decide the same, whatever files they came from. It is a policy file itself, and what a digest is made of.
    pub fn canonical(&self) -> String {
        let rules: BTreeSet<String> = self.rules().map(Rule::canonical).collect();
        let mut text = format!("version = {VERSION}\n");
        text.extend(rules);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{commands, modules};
    use crate::{Document, PROFILES};

    fn read(text: &str) -> Policy {
        let document = Document::parse("p", text, &commands(), &modules());
        let document = document.unwrap_or_else(|error| panic!("{error}\n{text}"));
        Policy::merge([document], &commands(), &modules()).unwrap()
    }

    #[test]
    fn order_reasons_and_repetition_are_left_out() {
        let one = "version = 1\n[[permit]]\ncapability = \"power\"\nmodules = [\"power\"]\nmodes = [\"halt\", \"reboot\"]\n\
                   reason = \"x\"\n[[command]]\nnames = [\"guest-ping\", \"guest-exec\"]\nmode = \"deny\"\nreason = \"y\"\n";
        let other = "version = 1\n[[command]]\nmode = \"deny\"\nnames = [\"guest-exec\", \"guest-ping\"]\n[[permit]]\n\
                     modes = [\"reboot\", \"halt\", \"halt\"]\ncapability = \"power\"\nmodules = [\"power\"]\nreason = \"z\"\n";
        assert_eq!(read(one).canonical(), read(other).canonical());
        let module = |names: &str, reason: &str| {
            format!("version = 1\n[[module]]\nnames = [{names}]\nreplace = true\nreason = \"{reason}\"\n")
        };
        let (one_way, other_way) = (module("\"file\", \"exec\"", "x"), module("\"exec\", \"file\", \"exec\"", "y"));
        assert_eq!(read(&one_way).canonical(), read(&other_way).canonical());
        assert_ne!(read(&one_way).canonical(), read(&one_way.replace("true", "false")).canonical());
        assert_eq!(read(&format!("{one}{}", &other["version = 1\n".len()..])).canonical(), read(one).canonical());
        assert_ne!(read(&one.replace("\"halt\", ", "")).canonical(), read(one).canonical());
        assert_ne!(read(&one.replace("deny", "observe")).canonical(), read(one).canonical());
    }

    #[test]
    fn it_is_the_policy_again() {
        for profile in PROFILES {
            let policy = Policy::of_profile(profile, &commands(), &modules()).unwrap();
            let text = policy.canonical();
            assert_eq!(read(&text).canonical(), text, "{}", profile.name);
            assert!(!text.contains("profile"), "{text}");
        }
    }
}
