//! What the owner says of processors and memory that are added while the VM runs.

use crate::error::{Origin, PolicyError};
use crate::table::Table;

/// What a `[hotplug]` says; of several files, what all of them say together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HotplugRule {
    /// Whether what is added is taken into use.
    pub online: bool,
    /// Why the owner wants it.
    pub reason: Option<String>,
    /// Where it stands.
    pub origin: Origin,
}

impl HotplugRule {
    /// Reads a `[hotplug]`.
    pub(crate) fn read(mut table: Table<'_>) -> Result<Self, PolicyError> {
        let online = table.required("online")?.flag()?;
        let reason = table.take("reason").map(|item| item.text().map(str::to_owned)).transpose()?;
        let origin = table.origin();
        table.finish()?;
        Ok(HotplugRule { online, reason, origin })
    }

    /// What both say: one that says no decides.
    pub(crate) fn joined(self, other: Self) -> Self {
        match (self.online, other.online) {
            (true, false) => other,
            (false, true) => self,
            _ if other.origin < self.origin => other,
            _ => self,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{Document, Policy};

    fn online(files: &[&str]) -> bool {
        let document = |text: &&str| {
            Document::parse("p", &format!("version = 1\n[hotplug]\nonline = {text}\n"), &[], &[]).unwrap()
        };
        Policy::merge(files.iter().map(document), &[], &[]).unwrap().takes_online()
    }

    #[test]
    fn one_that_says_no_decides() {
        assert!(!online(&[]) && !online(&["false"]) && online(&["true"]) && online(&["true", "true"]));
        assert!(!online(&["true", "false"]) && !online(&["false", "true"]));
        let refused = Document::parse("p", "version = 1\n[hotplug]\nreason = \"x\"\n", &[], &[]).unwrap_err();
        assert_eq!(refused.to_string(), "p:2:1: the key 'online' is missing");
    }
}
