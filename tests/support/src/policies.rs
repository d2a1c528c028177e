//! Policies of different length that allow the same, to see what judging costs.

use std::fmt::Write;

/// One tree, one program.
pub fn narrow() -> String {
    "version = 1\nprofile = \"standard\"\n[[command]]\nnames = [\"guest-file-*\", \"guest-exec\"]\nmode = \"enforce\"\n\
     [[permit]]\ncapability = \"files\"\nmodules = [\"file\"]\ntrees = [\"/etc\"]\naccess = [\"read\"]\nreason = \"x\"\n\
     [[permit]]\ncapability = \"processes\"\nmodules = [\"exec\"]\nprograms = [\"/usr/bin/true\"]\narguments = [[]]\n\
     reason = \"x\"\n"
        .to_owned()
}

/// The same, among two hundred rules that say nothing of these requests but have to be asked.
pub fn many() -> String {
    let mut text = narrow();
    for number in 0..100 {
        let _ = write!(
            text,
            "[[command]]\nnames = [\"guest-suspend-*\"]\nmode = \"deny\"\nfaster-than = {{ calls = {}, seconds = 60 }}\n\
             [[forbid]]\ncapability = \"processes\"\nprograms = [\"/usr/bin/program-{number}\"]\nreason = \"x\"\n",
            number + 1
        );
    }
    text
}
