//! The names of modules and of vendors' commands.

pub use bulkhead_policy::{LONGEST, is_vendor_command, is_vendor_module, vendor_module_fault};

/// Whether `name` can be a module's: a vendor's, or a single label, as built-in modules have it.
#[must_use]
pub fn is_module(name: &str) -> bool {
    is_vendor_module(name) || (name.len() <= LONGEST && bulkhead_policy::is_label(name))
}

/// Whether the module of this name may have the command: the command's domain is the module's name, or what it begins
/// with, as `__com.example_x` and `__com.example.backup_x` for `com.example.backup`. So nobody takes a command of
/// another domain.
#[must_use]
pub fn may_own(module: &str, command: &str) -> bool {
    let domain = command.strip_prefix("__").and_then(|rest| rest.split_once('_')).map(|(domain, _)| domain);
    let Some(rest) = domain.filter(|_| is_vendor_command(command)).and_then(|domain| module.strip_prefix(domain))
    else {
        return false;
    };
    rest.is_empty() || rest.starts_with('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_owns_commands_of_its_own_domain_and_of_those_above() {
        let module = "com.example.backup";
        assert!(may_own(module, "__com.example.backup_x") && may_own(module, "__com.example_x"));
        for other in ["__com.example.back_x", "__com.example.backup.more_x", "__org.example_x", "guest-ping", "__com_x"]
        {
            assert!(!may_own(module, other), "{other}");
        }
    }

    #[test]
    fn a_built_in_modules_name_is_one_label() {
        assert!(is_module("file") && is_module("com.example.backup") && !is_vendor_module("file"));
        assert!(!is_module("") && !is_module("../file") && !is_module("File"));
    }
}
