//! `files`: opening. Reading and writing an open file needs no privilege, and of the gate only what its [`Caps`] say.

use crate::caps::Opened;
use crate::{Caps, Errno, Gate, OpenFlags, Refusal};
use bulkhead_catalog::Capability;
use bulkhead_policy::Ask;
use bulkhead_sys::{Located, ObjectKind};

/// How often opening is begun anew when something has changed between looking and opening. An honest client meets that
/// once, when another makes the same file; more only if somebody in the VM means to.
const ATTEMPTS: usize = 16;

impl Gate {
    /// Opens the file at `path` for `module`.
    ///
    /// If everything is permitted, it is opened as any program would. Else the thing itself is found and held first, judged,
    /// and then just that is opened: what `path` leads to by then does not matter.
    pub fn open_file(&self, module: &str, path: &str, flags: OpenFlags) -> Result<Opened, Refusal<Errno>> {
        if self.is_unrestricted(module, Capability::Files) && !self.is_exact() {
            self.require(module, Capability::Files, &[])?;
            return self.open_unjudged(path, flags);
        }
        for _ in 1..ATTEMPTS {
            match self.open_judged(module, path, flags) {
                Err(Refusal::Failed(Errno::EAGAIN)) => {}
                outcome => return outcome,
            }
        }
        self.open_judged(module, path, flags)
    }

    fn open_unjudged(&self, path: &str, flags: OpenFlags) -> Result<Opened, Refusal<Errno>> {
        Ok(Opened { file: self.system.open_file(path.as_bytes(), flags)?, caps: Caps::default() })
    }

    fn open_judged(&self, module: &str, path: &str, flags: OpenFlags) -> Result<Opened, Refusal<Errno>> {
        let policy = self.policy();
        let trees = policy.trees(module, Capability::Files.name());
        let may_be_permitted = policy.may_permit(module, Capability::Files.name(), &access(flags, None, false));
        let looked = match may_be_permitted || !self.denies_by_text() {
            true => self.system.locate(path.as_bytes(), &trees),
            // Wherever it leads, and whatever is there: no permit speaks of such a use.
            false => Err(Errno::EACCES),
        };
        let (located, refused) = match looked {
            Ok(located) => (Some(located), None),
            Err(errno) => (None, Some(errno)),
        };
        let named = |positions: &[usize]| positions.iter().filter_map(|it| trees.get(*it).copied()).collect::<Vec<_>>();
        let (surely, perhaps) = match &located {
            Some(located) => (named(&located.within), named(&located.perhaps)),
            None => (Vec::new(), trees.clone()),
        };
        let found = located.as_ref();
        let asks = [
            (
                "trees",
                Ask::Within {
                    surely: &surely,
                    perhaps: &perhaps,
                    path: found.map_or(path.as_bytes(), |located| &located.path),
                },
            ),
            ("access", Ask::Words(&access(flags, found, true))),
            (
                "names",
                Ask::File {
                    name: own_name(found.map_or(path.as_bytes(), |located| &located.path)),
                    has_others: found.is_none_or(|located| located.has_other_names),
                },
            ),
            ("links", Ask::Flag(found.is_some_and(|located| located.by_link || located.has_other_names))),
            ("special", Ask::Flag(found.is_some_and(|located| located.kind == ObjectKind::Special))),
        ];
        let judged = self
            .settings(module, Capability::Files, &asks, |rule| rule.map(|rule| self.caps(&policy, rule, flags.append)));
        let caps = match (judged, refused) {
            (Err(_), Some(errno)) if says_nothing_of_paths(errno) => return Err(Refusal::Failed(errno)),
            (judged, _) => judged?,
        };
        match (caps, &located) {
            (Some(caps), Some(located)) => self.open_permitted(located, flags, caps),
            // Only observed: it is done as if there were no policy.
            _ => self.open_unjudged(path, flags),
        }
    }

    fn open_permitted(&self, located: &Located, flags: OpenFlags, caps: Caps) -> Result<Opened, Refusal<Errno>> {
        if !flags.truncate && caps.size().is_some_and(|size| located.size > size) {
            return Err(Refusal::Failed(Errno::EFBIG));
        }
        // What was empty when it was judged, and has grown since, may not be emptied.
        let flags = OpenFlags { truncate: empties(flags, located), ..flags };
        Ok(Opened { file: self.system.open_located(located, flags)?, caps })
    }
}

/// The last step of a path. What does not lead anywhere the client may call what it likes: of that nothing is found.
fn own_name(path: &[u8]) -> &[u8] {
    path.rsplit(|byte| *byte == b'/').next().unwrap_or_default()
}

/// What opening would do to what was found, or might do to anything; without what it `might` do, what it does in any case.
fn access(flags: OpenFlags, located: Option<&Located>, might: bool) -> Vec<&'static str> {
    let is_missing = located.is_none_or(|located| located.kind == ObjectKind::Missing);
    let words = [
        ("read", flags.read),
        ("write", flags.write && !flags.append),
        ("append", flags.write && flags.append),
        ("create", might && flags.create && is_missing),
        ("truncate", might && located.map_or(flags.truncate, |located| empties(flags, located))),
    ];
    words.into_iter().filter(|(_, wanted)| *wanted).map(|(word, _)| word).collect()
}

/// Whether something would be lost. What is not a regular file has nothing to lose.
fn empties(flags: OpenFlags, located: &Located) -> bool {
    flags.truncate && located.size > 0
}

/// Whether an error would be the same for every path, so that it tells a client nothing about the one it named; or tells it
/// nothing that it has not seen for itself: how long the answer took.
fn says_nothing_of_paths(errno: Errno) -> bool {
    use Errno::{EAGAIN, EMFILE, ENFILE, ENOMEM, ENOSYS, ETIMEDOUT};
    matches!(errno, EAGAIN | EMFILE | ENFILE | ENOMEM | ENOSYS | ETIMEDOUT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Standing, testing};
    use bulkhead_sys::Fake;
    use bulkhead_sys::fake::FakeFile;

    const READ: OpenFlags = OpenFlags { read: true, write: false, append: false, create: false, truncate: false };
    const UPDATE: OpenFlags = OpenFlags { read: true, write: true, append: false, create: false, truncate: false };
    const WRITE: OpenFlags = OpenFlags { read: false, write: true, append: false, create: true, truncate: true };
    const APPEND: OpenFlags = OpenFlags { read: false, write: true, append: true, create: true, truncate: false };

    fn fake() -> Fake {
        let fake = Fake::default();
        for folder in ["/in", "/in/private", "/etc", "/in/sub"] {
            fake.put(folder, FakeFile::Folder);
        }
        for file in ["/in/file", "/in/private/key", "/etc/shadow"] {
            fake.put(file, FakeFile::File { size: 5, names: 1 });
        }
        fake.put("/in/empty", FakeFile::File { size: 0, names: 1 });
        fake.put("/in/names", FakeFile::File { size: 5, names: 2 });
        fake.put("/in/fifo", FakeFile::Special);
        fake.put("/in/link", FakeFile::Link("/in/file".to_owned()));
        fake.put("/in/out", FakeFile::Link("/etc/shadow".to_owned()));
        fake
    }

    fn permit(access: &str, more: &str) -> String {
        format!(
            "[[permit]]\ncapability = \"files\"\nmodules = [\"file\"]\ntrees = [\"/in\"]\naccess = [{access}]\n{more}\n\
             reason = \"x\"\n"
        )
    }

    /// What became of opening: what was done, or why not.
    fn open(rules: &str, path: &str, flags: OpenFlags) -> String {
        let fake = fake();
        let gate = testing::with(&fake, rules);
        match gate.open_file("file", path, flags) {
            Ok(_) => fake.events().concat(),
            Err(Refusal::Denied) => "denied".to_owned(),
            Err(Refusal::Failed(errno)) => format!("{errno:?}"),
        }
    }

    #[test]
    fn only_the_module_that_was_granted_files_opens_one() {
        let gate = testing::full(&Fake::default());
        assert!(gate.open_file("file", "/dev/null", READ).is_ok());
        assert!(matches!(gate.open_file("file", "/absent", READ), Err(Refusal::Failed(Errno::ENOENT))));
        assert!(matches!(gate.open_file("power", "/dev/null", READ), Err(Refusal::Denied)));
    }

    #[test]
    fn what_is_asked_for_is_what_would_happen() {
        let all = |words| permit(words, "");
        assert_eq!(open(&all("\"read\""), "/in/file", READ), "open /in/file");
        assert_eq!(open(&all("\"read\""), "/in/file", UPDATE), "denied");
        assert_eq!(open(&all("\"read\", \"write\""), "/in/file", UPDATE), "open /in/file");
        assert_eq!(open(&all("\"write\""), "/in/file", WRITE), "denied", "it would be emptied");
        assert_eq!(open(&all("\"write\", \"truncate\""), "/in/file", WRITE), "empty /in/file");
        assert_eq!(open(&all("\"write\""), "/in/empty", WRITE), "open /in/empty");
        assert_eq!(open(&all("\"write\""), "/in/new", WRITE), "denied", "it would be made");
        assert_eq!(open(&all("\"write\", \"create\""), "/in/new", WRITE), "make /in/new");
        assert_eq!(open(&all("\"write\", \"create\""), "/in/new", APPEND), "denied");
        assert_eq!(open(&all("\"append\""), "/in/file", APPEND), "open /in/file");
        assert_eq!(open(&all("\"append\""), "/in/file", WRITE), "denied");
        assert_eq!(open(&all("\"write\""), "/in/sub", UPDATE), "denied");
    }

    #[test]
    fn where_it_lies_counts_and_what_is_missing_lies_where_it_would_be() {
        let rules = permit("\"read\", \"write\", \"create\"", "links = true");
        assert_eq!(open(&rules, "/in/../etc/shadow", READ), "denied");
        assert_eq!(open(&rules, "/in/out", READ), "denied");
        assert_eq!(open(&rules, "/in/absent", READ), "ENOENT");
        assert_eq!(open(&rules, "/in/no/such/file", WRITE), "ENOENT");
        for path in ["/etc/shadow", "/etc/absent", "/etc/no/such/file", "/absent"] {
            assert_eq!(open(&rules, path, READ), "denied", "{path}");
            assert_eq!(open(&rules, path, WRITE), "denied", "{path}");
        }
    }

    #[test]
    fn links_names_and_specials_must_be_permitted() {
        let (narrow, wide) = (permit("\"read\"", ""), permit("\"read\"", "links = true\nspecial = true"));
        for (path, opened) in [("/in/link", "/in/file"), ("/in/names", "/in/names"), ("/in/fifo", "/in/fifo")] {
            assert_eq!(open(&narrow, path, READ), "denied", "{path}");
            assert_eq!(open(&wide, path, READ), format!("open {opened}"), "{path}");
        }
    }

    #[test]
    fn in_a_tree_only_files_of_certain_names_may_be_meant() {
        let logs = permit("\"read\", \"write\", \"create\"", "links = true\nnames = [\"fi*\", \"*.log\"]");
        assert_eq!(open(&logs, "/in/file", READ), "open /in/file");
        assert_eq!(open(&logs, "/in/link", READ), "open /in/file", "it is the file that counts");
        assert_eq!(open(&logs, "/in/new.log", WRITE), "make /in/new.log");
        for path in ["/in/names", "/in/private/key", "/in/new", "/etc/x.log"] {
            assert_eq!(open(&logs, path, WRITE), "denied", "{path}");
        }
        let forbid =
            "[[forbid]]\ncapability = \"files\"\ntrees = [\"/in\"]\nnames = [\"key\", \"*.pem\"]\nreason = \"x\"\n";
        let rules = permit("\"read\"", "links = true") + forbid;
        assert_eq!(open(&rules, "/in/file", READ), "open /in/file");
        assert_eq!(open(&rules, "/in/private/key", READ), "denied");
        assert_eq!(open(&rules, "/in/names", READ), "denied", "its other name might be a key's");
    }

    #[test]
    fn a_forbidden_tree_is_forbidden_under_every_name() {
        let forbid = "[[forbid]]\ncapability = \"files\"\ntrees = [\"/in/private\"]\nreason = \"x\"\n";
        let rules = permit("\"read\"", "links = true") + forbid;
        assert_eq!(open(&rules, "/in/file", READ), "open /in/file");
        assert_eq!(open(&rules, "/in/private/key", READ), "denied");
        assert_eq!(open(&rules, "/in/names", READ), "denied", "its other name might lie there");
    }

    #[test]
    fn what_is_too_large_is_not_opened_unless_emptied() {
        let rules = permit("\"read\", \"write\", \"truncate\"", "size = \"4B\"");
        assert_eq!(open(&rules, "/in/file", READ), "EFBIG");
        assert_eq!(open(&rules, "/in/file", WRITE), "empty /in/file");
        assert_eq!(open(&permit("\"read\"", "size = \"5B\""), "/in/file", READ), "open /in/file");
    }

    #[test]
    fn all_files_of_a_rule_share_its_rate_until_the_policy_changes() {
        let gate = testing::with(&fake(), &permit("\"read\"", "rate = { bytes = \"10B\", seconds = 60 }"));
        let open = || gate.open_file("file", "/in/file", READ).unwrap().caps;
        open().moved(10);
        let old = open();
        assert_eq!(old.readable(None, 1), Err(Errno::EAGAIN));
        gate.set_policy(std::rc::Rc::new(gate.policy().as_ref().clone()));
        assert_eq!(open().readable(None, 1), Ok(1));
        assert_eq!(old.readable(None, 1), Err(Errno::EAGAIN), "what was opened before stays as it was");
    }

    #[test]
    fn what_is_only_observed_is_done_as_if_there_were_no_policy() {
        let gate = testing::with(&fake(), &permit("\"read\"", "size = \"1B\""));
        gate.begin(Standing { observe: true, ..Standing::default() });
        let opened = gate.open_file("file", "/dev/null", READ).unwrap();
        assert_eq!(opened.caps.size(), None);
        let judgements = gate.end();
        assert!(!judgements.list[0].allowed, "{judgements:?}");
    }
}
