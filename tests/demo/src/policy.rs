//! The second conversation: what a client meets that goes further than the owner's policy.

use crate::script::{FIRST_HANDLE, Step, is_error};
use crate::wait_for_socket;
use anyhow::{Context, Result};
use bulkhead_test_support::{Agent, Reply, Scratch};
use serde_json::{Value, json};
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};

/// Makes a folder that a client may read, a secret beside it, and the policy, whose text is given back.
pub(crate) fn prepare(scratch: &Scratch) -> Result<String> {
    let (reports, secret) = (scratch.join("reports"), scratch.join("secret"));
    fs::create_dir(&reports)?;
    fs::write(reports.join("today"), "all is well\n")?;
    fs::write(&secret, "a key\n")?;
    symlink(&secret, reports.join("link"))?;
    let text = format!(
        "version = 1\nprofile = \"minimal\"\n\n[[command]]\nnames = [\"guest-file-*\", \"guest-exec\"]\nmode = \"enforce\"\n\n\
         [[permit]]\ncapability = \"files\"\nmodules = [\"file\"]\ntrees = [\"{}\"]\naccess = [\"read\"]\nreason = \"the monthly \
         report\"\n\n\
         [[permit]]\ncapability = \"processes\"\nmodules = [\"exec\"]\nprograms = [\"{}\"]\narguments = [[]]\nreason = \"to see \
         that programs run\"\n",
        reports.display(),
        fs::canonicalize("/bin/true").context("there is a program true")?.display()
    );
    let file = scratch.join("policy.toml");
    fs::write(&file, &text)?;
    // Whatever the umask: what others could write is no policy.
    fs::set_permissions(&file, Permissions::from_mode(0o644))?;
    fs::set_permissions(scratch.path(), Permissions::from_mode(0o755))?;
    Ok(text)
}

/// Whether the agent can judge files here. An emulator of another processor may lack the system call that it takes.
pub(crate) fn can_look_for_files(agent: &mut Agent, scratch: &Scratch) -> Result<bool> {
    wait_for_socket(agent)?;
    let path = json!({"path": scratch.join("reports/none")});
    Ok(!agent.client().call("guest-file-open", path).text.contains("Function not implemented"))
}

/// All steps in order.
pub(crate) fn conversation(scratch: &Scratch) -> Vec<Step> {
    let open = |path: &str| json!({"path": scratch.join("reports").join(path)});
    let refused = |path: &str| {
        Step::call("guest-file-open", open(path), |reply| is_error(reply, "GenericError", "Permission denied"))
    };
    let started = |reply: &Reply| {
        let pid = reply.value.pointer("/return/pid").and_then(Value::as_i64);
        pid.map(drop).context("expected the number of a process")
    };
    vec![
        Step::returns("guest-file-open", open("today"), json!(FIRST_HANDLE)).chapter("Read what the owner permits"),
        refused("../secret").chapter("And what not: by '..', by a link, for writing, by another program"),
        refused("link"),
        Step::call("guest-file-open", json!({"path": scratch.join("reports/today"), "mode": "w"}), |reply| {
            is_error(reply, "GenericError", "Permission denied")
        }),
        Step::call("guest-exec", json!({"path": "/bin/true"}), started),
        Step::call("guest-exec", json!({"path": "/bin/sh", "arg": ["-c", "true"]}), |reply| {
            is_error(reply, "GenericError", "Permission denied")
        }),
        Step::call("guest-get-osinfo", Value::Null, |reply| {
            is_error(reply, "CommandNotFound", "Command guest-get-osinfo has been disabled")
        })
        .by_host(),
    ]
}
