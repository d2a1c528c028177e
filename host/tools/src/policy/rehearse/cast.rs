//! Which installed modules take part in rehearsals: those that the agent would have serve, with the same code.

use crate::policy::Known;
use bulkhead_catalog::commands::{Catalog, interned};
use bulkhead_catalog::modules;
use bulkhead_host::installed::{self, Candidate, lineup};
use bulkhead_host::modules::commands_of;
use bulkhead_host::running::LeftOut;
use bulkhead_host::runtime::{Runtime, SharedModules};
use bulkhead_policy::{ModuleRule, Origin, Policy};

/// The installed modules of a stage.
#[derive(Debug)]
pub(super) struct Cast {
    modules: SharedModules,
    /// Those that could serve, if the policy lets them.
    candidates: Vec<Candidate>,
    /// Why others could not, in a sentence each.
    faults: Vec<String>,
}

impl Cast {
    /// Those of the store that is known, to serve in `runtime`.
    pub(super) fn of(known: &Known, runtime: &Runtime) -> Self {
        let form = runtime.modules().form();
        let of_store = |store| installed::of_store(store, runtime.engine(), form, replace_everything());
        let (candidates, faults) = match known.store().map(of_store) {
            None => (Vec::new(), Vec::new()),
            Some(Err(why)) => (Vec::new(), vec![format!("installed modules are left out: {why}")]),
            Some(Ok((candidates, left_out))) => {
                let told = |it: &LeftOut| format!("module {} {} is left out: {}", it.module, it.version, it.why);
                (candidates, left_out.iter().map(told).collect())
            }
        };
        Cast { modules: runtime.shared_modules(), candidates, faults }
    }

    pub(super) fn faults(&self) -> &[String] {
        &self.faults
    }

    /// Has the installed modules serve that may under `policy`, and tells which commands there are then.
    pub(super) fn admit(&self, policy: &Policy) -> Catalog {
        let built_in = modules::names();
        let name = |it: &Candidate| interned(&it.version.manifest.name);
        let may = |it: &&Candidate| !built_in.contains(&name(it)) || policy.module(name(it)).may_replace;
        let serving: Vec<&Candidate> = self.candidates.iter().filter(may).collect();
        self.modules.borrow_mut().set_installed(serving.iter().map(|it| (name(it), lineup::installed(it))).collect());
        Catalog::with(serving.iter().flat_map(|it| commands_of(&it.version.manifest, &it.version.imports)))
    }
}

/// A policy under which every installed module could serve. Whether it does is for the policy that is tried to say.
fn replace_everything() -> Policy {
    let origin = Origin { file: "rehearsal".into(), line: 1, column: 1 };
    let (names, reason) = (vec!["*".to_owned()], String::new());
    let rule = ModuleRule { names, replace: Some(true), probation: None, strikes: None, reason, origin };
    Policy { modules: vec![rule], ..Policy::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Stage;
    use crate::policy::known::{self, testing::version};
    use bulkhead_broker::rulings::By;
    use bulkhead_host::modules::{Form, bytes};
    use bulkhead_store::{Code, Store};
    use bulkhead_test_support::Scratch;
    use serde_json::Value;

    /// A store in which the code of a built-in module is installed under another name.
    fn installed(scratch: &Scratch, name: &str, commands: &[&str], code: &str, imports: &[&str]) -> Stage {
        let (store, form) = (Store::new(scratch.path().join("store")), Form::detect());
        let bytes = bytes(code, form).unwrap();
        let (form, engine) = (form.name().to_owned(), bulkhead_engine::IDENTITY.to_owned());
        let code = Code { form, engine, digest: bulkhead_store::digest::of(bytes) };
        let (mut version, component) = (version(name, commands, imports), b"the component");
        (version.codes, version.digest) = (vec![code.clone()], bulkhead_store::digest::of(component));
        let commit = |state: &mut bulkhead_store::State| {
            *state = known::testing::state(vec![version]);
            Ok(())
        };
        store.install("install", component, "", &[(code, bytes.to_vec())], commit).unwrap();
        Stage::with(&Known::read(store.root())).unwrap()
    }

    fn policy(text: &str) -> Policy {
        known::testing::policy(&format!("profile = \"full\"\n{text}"))
    }

    #[test]
    fn an_installed_module_answers_with_its_own_code() {
        let scratch = Scratch::new("rehearse-installed");
        let imports = ["system-files", "clock", "clock-setting"];
        let mut stage = installed(&scratch, "com.example.time", &["__com.example_now"], "time", &imports);
        assert_eq!(stage.faults(), [""; 0]);
        let enforce = "[[command]]\nnames = [\"__com.example_*\"]\nmode = \"enforce\"\n";
        let permit = "modules = [\"com.example.time\"]\nreason = \"x\"\n";
        let grants = format!(
            "[[permit]]\ncapability = \"clock\"\n{permit}[[permit]]\ncapability = \"clock-setting\"\nstep = \"1s\"\n{permit}\
             [[permit]]\ncapability = \"system-files\"\nfiles = [\"*\"]\n{permit}"
        );
        let without = stage.rehearse(&policy(enforce), "__com.example_now", false).unwrap();
        assert_eq!((without.command.module, without.ruling.by), ("com.example.time", By::NoGrant));
        let with = stage.rehearse(&policy(&format!("{enforce}{grants}")), "__com.example_now", false).unwrap();
        // The code is of another module, whose commands have other names.
        let desc = with.reply.as_ref().and_then(|reply| reply.pointer("/error/desc")).and_then(Value::as_str);
        assert!(!with.is_refused() && desc.unwrap().contains("has not been found"), "{with:?}");
    }

    #[test]
    fn a_built_in_module_is_replaced_only_under_a_policy_that_says_so() {
        let scratch = Scratch::new("rehearse-replaced");
        let commands = ["guest-get-time", "guest-set-time"];
        let mut stage = installed(&scratch, "time", &commands, "exec", &["processes"]);
        let mut answers = |rules: &str| {
            let rehearsed = stage.rehearse(&policy(rules), "guest-get-time", false).unwrap();
            rehearsed.reply.unwrap().get("return").is_some()
        };
        let replace = "[[module]]\nnames = [\"time\"]\nreplace = true\nreason = \"x\"\n";
        assert!(answers("") && answers(&replace.replace("true", "false")), "the built-in module answers");
        assert!(!answers(replace), "the code in its place knows no such command");
        assert!(answers(""), "one policy leaves nothing for the next");
    }

    #[test]
    fn a_module_that_cannot_be_loaded_is_left_out_and_told() {
        let scratch = Scratch::new("rehearse-left-out");
        let mut stage = installed(&scratch, "com.example.time", &["__com.example_now"], "time", &["files"]);
        assert!(stage.faults()[0].starts_with("module com.example.time 1 is left out: "), "{:?}", stage.faults());
        let error = stage.rehearse(&policy(""), "__com.example_now", false).unwrap_err().to_string();
        assert_eq!(error, "there is no command '__com.example_now'");
    }
}
