//! What the owner says of network interfaces: which of them clients do not see, and which come first.

use crate::error::{Origin, PolicyError};
use crate::table::{Item, Table};
use crate::tree::is_like;

/// How long the name of an interface may be, in bytes: the kernel's IFNAMSIZ without the NUL.
const LONGEST_NAME: usize = 15;

/// What a `[network]` says; of several files, what all of them say together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkRule {
    /// Names of interfaces that clients do not see; in them `*` is any text.
    pub exclude: Vec<String>,
    /// Names of interfaces that come first, in this order; in them `*` is any text. Nothing if no file says it, and then the
    /// order is left to the default routes.
    pub primary: Option<Vec<String>>,
    /// Why the owner wants it.
    pub reason: Option<String>,
    /// Where it stands.
    pub origin: Origin,
}

impl NetworkRule {
    /// Reads a `[network]`.
    pub(crate) fn read(mut table: Table<'_>) -> Result<Self, PolicyError> {
        let exclude = table.take("exclude").map(|item| names(&item)).transpose()?;
        let primary = table.take("primary").map(|item| names(&item)).transpose()?;
        if exclude.is_none() && primary.is_none() {
            return Err(table.error("'network' says at least one of exclude and primary"));
        }
        let reason = table.take("reason").map(|item| item.text().map(str::to_owned)).transpose()?;
        let origin = table.origin();
        table.finish()?;
        Ok(NetworkRule { exclude: exclude.unwrap_or_default(), primary, reason, origin })
    }

    /// What both say. An interface that one of them excludes is excluded; two orders contradict each other.
    pub(crate) fn joined(self, other: Self) -> Result<Self, PolicyError> {
        let (first, second) = if self.origin <= other.origin { (self, other) } else { (other, self) };
        let primary = match (first.primary, second.primary) {
            (Some(one), Some(two)) if one != two => {
                let message = format!("{} names other primary interfaces: a policy has one order", first.origin);
                return Err(PolicyError { origin: second.origin, message });
            }
            (one, two) => one.or(two),
        };
        let mut exclude = [first.exclude, second.exclude].concat();
        exclude.sort_unstable();
        exclude.dedup();
        Ok(NetworkRule { exclude, primary, reason: first.reason.or(second.reason), origin: first.origin })
    }

    /// Whether clients do not see `interface`. The label of an address (`eth0:1`) is not an interface of its own.
    pub fn excludes(&self, interface: &[u8]) -> bool {
        let name = interface.split(|byte| *byte == b':').next().unwrap_or_default();
        self.exclude.iter().any(|pattern| is_like(pattern.as_bytes(), name))
    }
}

fn names(item: &Item<'_>) -> Result<Vec<String>, PolicyError> {
    let one = |(name, item): (&str, Item<'_>)| match fault(name) {
        Some(fault) => Err(item.error(fault)),
        None => Ok(name.to_owned()),
    };
    item.texts()?.into_iter().map(one).collect()
}

/// What is wrong with the name of an interface, or a pattern of such names, if something is.
fn fault(name: &str) -> Option<String> {
    let is_odd = |it: char| it.is_whitespace() || it.is_control() || matches!(it, '/' | ':');
    let length = name.bytes().filter(|byte| *byte != b'*').count();
    let is_name = !name.is_empty() && length <= LONGEST_NAME && !name.contains(is_odd);
    (!is_name).then(|| {
        format!("'{name}' is not the name of an interface: up to {LONGEST_NAME} bytes without space, '/' and ':'; '*' is any text")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Document, Policy};

    fn document(file: &str, text: &str) -> Result<Document, PolicyError> {
        Document::parse(file, &format!("version = 1\n{text}"), &[], &[])
    }

    fn merged(files: &[&str]) -> Result<NetworkRule, PolicyError> {
        let documents = files.iter().enumerate().map(|(number, text)| document(&number.to_string(), text).unwrap());
        Policy::merge(documents, &[], &[]).map(|policy| policy.network.unwrap())
    }

    #[test]
    fn names_are_patterns_of_what_the_kernel_calls_interfaces() {
        let rule = merged(&["[network]\nexclude = [\"veth*\", \"docker0\", \"*.100\"]\n"]).unwrap();
        for name in ["veth", "veth12ab", "docker0", "docker0:1", "eth0.100"] {
            assert!(rule.excludes(name.as_bytes()), "{name}");
        }
        for name in ["docker01", "eth0", "xveth0", "eth0.1000"] {
            assert!(!rule.excludes(name.as_bytes()), "{name}");
        }
        assert_eq!(rule.primary, None);
    }

    #[test]
    fn what_no_interface_can_be_called_is_refused() {
        let refused = |lines: &str| document("p", &format!("[network]\n{lines}")).unwrap_err().to_string();
        for name in ["", "a b", "a/b", "eth0:1", "sixteen-letters-"] {
            let told = refused(&format!("exclude = [\"{name}\"]"));
            assert!(told.starts_with(&format!("p:3:12: '{name}' is not the name of an interface")), "{told}");
        }
        assert_eq!(refused("reason = \"x\""), "p:2:1: 'network' says at least one of exclude and primary");
        assert_eq!(refused("excludes = [\"a\"]"), "p:2:1: 'network' says at least one of exclude and primary");
        assert_eq!(
            refused("exclude = [\"a\"]\nprimari = [\"b\"]"),
            "p:4:1: unknown key 'primari', did you mean 'primary'?"
        );
        assert_eq!(refused("primary = []"), "p:3:11: 'primary' is empty: it would mean nothing");
    }

    #[test]
    fn files_add_what_they_exclude_and_agree_about_the_order() {
        let (veth, eth) =
            ("[network]\nexclude = [\"veth*\"]\n", "[network]\nexclude = [\"a\"]\nprimary = [\"eth0\"]\n");
        let both = merged(&[veth, eth]).unwrap();
        assert_eq!(
            (both.exclude.as_slice(), both.primary.clone()),
            (&["a".to_owned(), "veth*".to_owned()][..], Some(vec!["eth0".to_owned()]))
        );
        assert_eq!(merged(&[eth, veth]).map(|rule| (rule.exclude, rule.primary)), Ok((both.exclude, both.primary)));
        let error = merged(&[eth, "[network]\nprimary = [\"eth1\"]\n"]).unwrap_err().to_string();
        assert_eq!(error, "1:2:1: 0:2:1 names other primary interfaces: a policy has one order");
        assert!(merged(&[eth, eth]).is_ok());
    }
}
