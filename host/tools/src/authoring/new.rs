//! `bulkhead module new`: a folder with a module that builds, answers and has tests.

use super::template::{FILES, Words};
use anyhow::{Context, bail};
use bulkhead_store::names::{is_vendor_command, may_own, vendor_module_fault};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs};

/// Where packages put the SDK.
const INSTALLED_SDK: &str = "/usr/share/bulkhead/sdk";

/// What of the SDK a module needs; by these files it is known.
const SDK_FILES: &[&str] = &["guest-modules/sdk/Cargo.toml", "schemas/Cargo.toml", "wit/world.wit"];

/// What the command line says.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The module's name: a domain name of yours turned round, and a word, such as com.example.backup.
    name: String,
    /// The folder to make. Without: one called after the last word of the name.
    folder: Option<PathBuf>,
    /// Its command, by QAPI's rule for downstream extensions: two underscores, the domain turned round, an underscore and the
    /// command. Without: __com.example_backup for com.example.backup.
    #[arg(long, value_name = "COMMAND")]
    command: Option<String>,
    /// The SDK: a checkout of Bulkhead, or what its package installs. Without: the checkout that this program was built in, or
    /// /usr/share/bulkhead/sdk.
    #[arg(long, value_name = "DIR")]
    sdk: Option<PathBuf>,
}

/// Runs the tool.
pub(crate) fn run(options: &Options, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let name = &options.name;
    if let Some(fault) = vendor_module_fault(name) {
        bail!(
            "'{name}' is not a name for a module: it {fault}; take a domain name of yours turned round and a word, such as \
             com.example.backup"
        );
    }
    let command = options.command.clone().unwrap_or_else(|| command_of(name));
    if !is_vendor_command(&command) || command.bytes().any(|byte| byte.is_ascii_uppercase()) {
        bail!(
            "'{command}' is not a name for a vendor's command: those are like __com.example_backup-age, in lower case"
        );
    }
    if !may_own(name, &command) {
        bail!("the command {command} is not the module's: its domain must be {name} or the beginning of it");
    }
    let sdk = find_sdk(options.sdk.as_deref())?;
    let label = name.rsplit('.').next().unwrap_or(name);
    let folder = options.folder.clone().unwrap_or_else(|| label.into());
    let words = Words { name, command: &command, sdk: sdk.to_str().context("the path of the SDK is not UTF-8")? };
    write(&folder, &words, &sdk)?;
    writeln!(out, "made {} with the command {command}", folder.display())?;
    writeln!(out, "build and try it:  make -C {} test", folder.display())?;
    Ok(ExitCode::SUCCESS)
}

/// The command of a new module: the module's last word under the domain before it, or `status` if all of it is a domain.
fn command_of(module: &str) -> String {
    match module.rsplit_once('.') {
        Some((domain, word)) if domain.contains('.') => format!("__{domain}_{word}"),
        _ => format!("__{module}_status"),
    }
}

fn find_sdk(given: Option<&Path>) -> anyhow::Result<PathBuf> {
    let is_sdk = |folder: &Path| SDK_FILES.iter().all(|file| folder.join(file).is_file());
    if let Some(folder) = given {
        if !is_sdk(folder) {
            bail!("{} is not an SDK: there is no {} in it", folder.display(), SDK_FILES.join(", "));
        }
        return folder.canonicalize().with_context(|| format!("cannot find {}", folder.display()));
    }
    let program = env::current_exe().and_then(|path| path.canonicalize()).context("cannot find this program")?;
    let beside = program.ancestors().nth(3).map(Path::to_owned);
    let found = beside.into_iter().chain([INSTALLED_SDK.into()]).find(|folder| is_sdk(folder));
    found.context("the SDK is not beside this program nor in /usr/share/bulkhead/sdk: say where it is with --sdk")
}

/// Writes all files. What is there already is not touched, and then nothing is written.
fn write(folder: &Path, words: &Words<'_>, sdk: &Path) -> anyhow::Result<()> {
    match fs::create_dir(folder) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let is_empty = fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none());
            if !is_empty {
                bail!("{} is there already and not an empty folder: name another", folder.display());
            }
        }
        Err(error) => return Err(error).with_context(|| format!("cannot make {}", folder.display())),
    }
    for (path, text) in FILES {
        save(&folder.join(path), words.fill(text).as_bytes())?;
    }
    let wit = sdk.join("wit");
    for entry in fs::read_dir(&wit).with_context(|| format!("cannot read {}", wit.display()))? {
        let path = entry?.path();
        if let (Some("wit"), Some(name)) = (path.extension().and_then(|it| it.to_str()), path.file_name()) {
            copy(&path, &folder.join("wit/deps/bulkhead-agent").join(name))?;
        }
    }
    // The versions of what the SDK needs that it was tried with.
    let lock = sdk.join("Cargo.lock");
    if lock.is_file() { copy(&lock, &folder.join("Cargo.lock")) } else { Ok(()) }
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    let text = fs::read(from).with_context(|| format!("cannot read {}", from.display()))?;
    save(to, &text)
}

fn save(path: &Path, text: &[u8]) -> anyhow::Result<()> {
    let made = path.parent().map_or(Ok(()), fs::create_dir_all);
    made.and_then(|()| fs::write(path, text)).with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bulkhead_test_support::Scratch;

    fn make(name: &str, command: Option<&str>, folder: &Path) -> Result<String, String> {
        let sdk = Some(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."));
        let (name, command) = (name.to_owned(), command.map(str::to_owned));
        let mut out = Vec::new();
        let ran = run(&Options { name, folder: Some(folder.to_owned()), command, sdk }, &mut out);
        ran.map(|_| String::from_utf8(out).unwrap()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_command_is_named_after_its_module() {
        assert_eq!(command_of("com.example.backup"), "__com.example_backup");
        assert_eq!(command_of("com.example"), "__com.example_status");
        for module in ["com.example.backup", "com.example", "org.a-b.c-d"] {
            assert!(is_vendor_command(&command_of(module)) && may_own(module, &command_of(module)), "{module}");
        }
    }

    #[test]
    fn a_module_is_made_once() {
        let scratch = Scratch::new("module-new");
        let folder = scratch.path().join("backup");
        assert!(make("com.example.backup", None, &folder).unwrap().contains("__com.example_backup"));
        for file in
            ["Cargo.toml", ".cargo/config.toml", "src/lib.rs", "wit/deps/bulkhead-agent/types.wit", "Cargo.lock"]
        {
            assert!(folder.join(file).is_file(), "{file}");
        }
        fs::write(folder.join("src/lib.rs"), "mine").unwrap();
        assert!(make("com.example.backup", None, &folder).unwrap_err().contains("is there already"));
        assert_eq!(fs::read_to_string(folder.join("src/lib.rs")).unwrap(), "mine");
        assert!(make("com.example.backup", None, &scratch.folder("empty")).is_ok());
    }

    #[test]
    fn names_that_nobody_could_install_are_refused() {
        let scratch = Scratch::new("module-names");
        let error = |name, command| make(name, command, &scratch.path().join("x")).unwrap_err();
        assert!(error("backup", None).contains("is not a name for a module: it has no dot"));
        assert!(error("com.example.backup", Some("guest-ping")).contains("not a name for a vendor's command"));
        assert!(error("com.example.backup", Some("__com.example_Age")).contains("in lower case"));
        assert!(error("com.example.backup", Some("__org.example_age")).contains("is not the module's"));
        assert!(!scratch.path().join("x").exists());
    }
}
