//! A table of cases: requests, what the system says meanwhile, and what must come of them.

use super::pretended::Host;
use super::stage::{Answer, Stage};
use super::{differences, policy};
use crate::authoring::text::Text;
use bulkhead_gate::Gate;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use toml::Spanned;

/// What a file of cases looks like, for the help.
pub(super) const FORM: &str = "\
A file of cases says, for each case:

  [[case]]
  name = \"the last backup is an hour old\"
  request = { execute = \"__com.example_backup-age\", arguments = { job = \"daily\" } }
  returns = { seconds = 3600 }      what the client reads; or
  error = \"no such job\"             words of the error's description, perhaps with
  class = \"CommandNotFound\"         its class; without any of these, success is not answered
  asks = [ 'files trees = [\"/var/lib/jobs/daily\"], access = [\"read\"]' ]
                                    all that the module asks the host for, if it matters
  does = [ \"open /var/lib/jobs/daily\" ]
                                    all that is done to the system, if it matters
  frozen = true                     as if file systems were frozen
  policy = '''...'''                the text of a policy; without, all that it imports is granted

  [case.host]                       what the system says; what is left out is not there
  system-files = { \"/proc/uptime\" = \"3600.00 1.00\" }
  system-links = { \"/sys/dev/block/8:0\" = \"/sys/devices/virtual/block/sda\" }
  files = { \"/var/lib/jobs/daily\" = \"done\" }
  interfaces = [ { name = \"eth0\", addresses = [\"52:54:00:12:34:56\", \"192.0.2.7/24\", \"2001:db8::7/64\"] } ]
  mounts = '''...'''                proc_pid_mountinfo(5); or disks = [\"/\", \"/data\"], which can be frozen
  block-devices = { \"/dev/vda\" = \"254:0\" }
  usage = { \"/\" = { total = 100, free = 50, available = 40 } }
  programs = { \"/usr/bin/job\" = { prints = \"done\", status = 0 } }
  users = { alice = \"ssh-ed25519 AAAA...\" }
  clock = 1700000000000000000       nanoseconds since 1970
  kernel = { host-name = \"vm\", release = \"6.1\", version = \"#1\", machine = \"x86_64\" }
  environment = { TZ = \"UTC\" }";

/// The cases of a file.
#[derive(Debug)]
pub(super) struct Cases(Vec<Case>);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    case: Vec<Case>,
}

/// One of them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Case {
    name: Spanned<String>,
    request: Request,
    returns: Option<Value>,
    error: Option<String>,
    class: Option<String>,
    asks: Option<Vec<String>>,
    does: Option<Vec<String>>,
    #[serde(default)]
    frozen: bool,
    policy: Option<String>,
    #[serde(default)]
    host: Host,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Request {
    execute: String,
    arguments: Option<Map<String, Value>>,
}

impl Cases {
    /// Reads a file.
    pub(super) fn read(path: &Path) -> anyhow::Result<Self> {
        let text = Text::read(path)?;
        let Table { case: cases } = text.parse()?;
        for (index, case) in cases.iter().enumerate() {
            if cases[..index].iter().any(|other| other.name() == case.name()) {
                return Err(text.error(case.name.span(), "another case has this name"));
            }
            if case.returns.is_some() && (case.error.is_some() || case.class.is_some()) {
                return Err(text.error(case.name.span(), "a case expects what it returns or an error, not both"));
            }
        }
        Ok(Cases(cases))
    }

    /// All of them.
    pub(super) fn all(&self) -> &[Case] {
        &self.0
    }

    /// The one called `name`.
    pub(super) fn named(&self, name: &str) -> anyhow::Result<&Case> {
        let names = || self.0.iter().map(|case| format!("'{}'", case.name())).collect::<Vec<_>>().join(", ");
        let found = self.0.iter().find(|case| case.name() == name);
        found.ok_or_else(|| anyhow::anyhow!("no case is called '{name}'; there are {}", names()))
    }
}

/// The file of cases meant: the one given, or cases.toml beside the module.
pub(super) fn file(given: Option<&PathBuf>, module: &Path) -> PathBuf {
    given.cloned().unwrap_or_else(|| module.with_file_name("cases.toml"))
}

impl Case {
    /// What it shows.
    pub(super) fn name(&self) -> &str {
        self.name.get_ref()
    }

    /// Makes the system and the policy of this case. What is done to the system is told by what this returns.
    pub(super) fn set(&self, stage: &mut Stage) -> anyhow::Result<bulkhead_sys::Fake> {
        let system = self.host.pretend()?;
        let module = &stage.module;
        let policy = match &self.policy {
            Some(text) => policy::of(&module.manifest, "the case's policy", text)?,
            None => policy::everything(&module.manifest, &module.imports)?,
        };
        stage.set(Gate::pretending(Rc::clone(&policy), Box::new(system.clone())), self.frozen);
        Ok(system)
    }

    /// Has the module answer and says what is not as expected, line by line; nothing if all is.
    pub(super) fn try_out(&self, stage: &mut Stage) -> anyhow::Result<(Vec<String>, Answer)> {
        let system = self.set(stage)?;
        let mut request = Map::from_iter([("execute".to_owned(), Value::from(self.request.execute.clone()))]);
        request.extend(self.request.arguments.clone().map(|it| ("arguments".to_owned(), Value::Object(it))));
        let answer = stage.answer(&Value::Object(request).to_string())?;
        let mut wrong = self.wrong_reply(answer.reply.as_ref());
        if let Some(asks) = &self.asks {
            let asked: Vec<&str> = answer.asked.iter().map(|it| it.what.as_str()).collect();
            wrong.extend(differences::of_lists("asks", asks, &asked));
        }
        if let Some(does) = &self.does {
            wrong.extend(differences::of_lists("does", does, &system.events()));
        }
        Ok((wrong, answer))
    }

    fn wrong_reply(&self, reply: Option<&Value>) -> Vec<String> {
        let expects_error = self.error.is_some() || self.class.is_some();
        let Some(reply) = reply else {
            let silent = self.returns.is_none() && !expects_error;
            return if silent {
                Vec::new()
            } else {
                vec!["there is no reply: success of this command is not answered".to_owned()]
            };
        };
        let member = |pointer: &str| reply.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        match (reply.get("return"), &self.returns) {
            (Some(returned), Some(expected)) => differences::of_values(expected, returned),
            (Some(returned), None) if expects_error => vec![format!("expected an error, but it returns {returned}")],
            (Some(returned), None) => vec![format!("expected no reply, but it returns {returned}")],
            (None, _) if !expects_error => {
                vec![format!("expected no error, but it is {}: {}", member("/error/class"), member("/error/desc"))]
            }
            (None, _) => {
                let (class, desc) = (member("/error/class"), member("/error/desc"));
                let mut wrong = Vec::new();
                if let Some(words) = self.error.as_deref().filter(|words| !desc.contains(words)) {
                    wrong.extend([format!("expected error: {words}"), format!("   but it is: {desc}")]);
                }
                if let Some(expected) = self.class.as_deref().filter(|expected| *expected != class) {
                    wrong.extend([format!("expected class: {expected}"), format!("   but it is: {class}")]);
                }
                wrong
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bulkhead_test_support::Scratch;
    use serde_json::json;

    fn case(expected: &str) -> Case {
        toml::from_str(&format!("name = \"it\"\nrequest = {{ execute = \"x\" }}\n{expected}")).unwrap()
    }

    fn wrong(expected: &str, reply: Option<Value>) -> Vec<String> {
        case(expected).wrong_reply(reply.as_ref())
    }

    #[test]
    fn what_comes_is_compared_with_what_is_expected() {
        let error = Some(json!({ "error": { "class": "GenericError", "desc": "no such job" } }));
        let returned = Some(json!({ "return": { "a": 1 } }));
        assert!(wrong("returns = { a = 1 }", returned.clone()).is_empty());
        assert_eq!(wrong("returns = { a = 2 }", returned.clone()), ["returns.a", "  - 2", "  + 1"]);
        assert!(wrong("error = \"such\"\nclass = \"GenericError\"", error.clone()).is_empty());
        assert_eq!(wrong("error = \"nope\"", error.clone()).len(), 2);
        assert_eq!(wrong("class = \"CommandNotFound\"", error.clone()).len(), 2);
        assert_eq!(wrong("error = \"x\"", returned.clone()), ["expected an error, but it returns {\"a\":1}"]);
        assert_eq!(wrong("returns = 1", error.clone()), ["expected no error, but it is GenericError: no such job"]);
        assert!(
            wrong("", None).is_empty() && !wrong("", returned).is_empty() && !wrong("returns = 1", None).is_empty()
        );
    }

    #[test]
    fn a_table_that_contradicts_itself_is_refused() {
        let scratch = Scratch::new("module-cases");
        let one = "[[case]]\nname = \"it\"\nrequest = { execute = \"x\" }\n";
        let error = |text: &str| Cases::read(&scratch.file("c.toml", text)).unwrap_err().to_string();
        assert!(error(&format!("{one}{one}")).ends_with("c.toml:5:8: another case has this name"));
        assert!(error(&format!("{one}returns = 1\nerror = \"x\"\n")).contains("not both"));
        assert!(error(&format!("{one}retruns = 1\n")).contains("c.toml:4:1: unknown field `retruns`"));
        let cases = Cases::read(&scratch.file("c.toml", one)).unwrap();
        assert_eq!(cases.named("that").unwrap_err().to_string(), "no case is called 'that'; there are 'it'");
    }
}
