//! `cargo xtask guests`: rebuilds the committed WebAssembly modules of `examples/` from source.
//!
//! The bytes of a module depend on the toolchain and the sources only, so that anyone can check what a module does: each
//! example is copied beside the guest SDK into one small workspace (cargo's symbol hashes contain the path of packages
//! outside of a workspace), is built by Debian's compiler with its standard library from source, and all paths of the
//! machine are mapped away.

mod toolchain;

use anyhow::{Context, Result, bail};
use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

const SDK: &str = "sdk/guest/rust";
const TEMPLATE: &str = "crates/sealwork/templates/rust";
const TEMPLATE_SDK: &str = "crates/sealwork/templates/rust/src/sealwork.rs";
const TOOLCHAIN_FILE: &str = "examples/toolchain.txt";
const SAMPLE: &str = "sample-app";

/// What to do with the guests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Build and write the committed files.
    Write,
    /// Build and compare with the committed files.
    Check,
    /// Run the native tests of SDK, examples and template.
    Test,
}

impl Mode {
    /// The mode that the command line asks for.
    pub(crate) fn parse(arguments: &[String]) -> Result<Self> {
        match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            [] => Ok(Self::Write),
            ["--check"] => Ok(Self::Check),
            ["--test"] => Ok(Self::Test),
            _ => bail!("usage: cargo xtask guests [--check | --test]"),
        }
    }
}

/// Does what `mode` says for every example in name order.
pub(crate) fn run(root: &Path, mode: Mode) -> Result<()> {
    let examples = examples(root)?;
    let target = target_dir(root);
    if mode == Mode::Test {
        return test(root, &examples, &target.join("guests-native"));
    }
    toolchain::ensure()?;
    let target = target.join("guests");
    let identity = toolchain::identity()?;
    let mut files = vec![
        (TOOLCHAIN_FILE.to_owned(), identity.into_bytes()),
        (TEMPLATE_SDK.to_owned(), fs::read(root.join(SDK).join("src/lib.rs"))?),
    ];
    for name in &examples {
        say(&format!("building {name}"))?;
        let stage = stage_example(root, name, &target)?;
        files.push((format!("examples/{name}/{name}.wasm"), toolchain::build(&stage, &target, name)?));
    }
    say("building the template of `sealwork new`")?;
    toolchain::build(&stage_template(root, &target)?, &target, SAMPLE)?;
    if mode == Mode::Write { write(root, &files) } else { check(root, &files) }
}

fn write(root: &Path, files: &[(String, Vec<u8>)]) -> Result<()> {
    for (name, bytes) in files {
        if fs::read(root.join(name)).ok().as_ref() != Some(bytes) {
            fs::write(root.join(name), bytes).with_context(|| format!("write {name}"))?;
            say(&format!("wrote {name}, {} bytes", bytes.len()))?;
        }
    }
    Ok(())
}

fn check(root: &Path, files: &[(String, Vec<u8>)]) -> Result<()> {
    let mut differences = Vec::new();
    for (name, bytes) in files {
        match fs::read(root.join(name)) {
            Ok(committed) if committed == *bytes => {}
            Ok(committed) => differences.push(difference(name, &committed, bytes)),
            Err(error) => differences.push(format!("{name}: {error}")),
        }
    }
    if differences.is_empty() {
        return Ok(());
    }
    bail!(
        "committed files differ from a fresh build; run `cargo xtask guests`:\n  {}",
        differences.join("\n  ")
    )
}

fn difference(name: &str, committed: &[u8], fresh: &[u8]) -> String {
    let at = committed.iter().zip(fresh).take_while(|(left, right)| left == right).count();
    let mut text = format!(
        "{name}: {} bytes are committed, a build gives {}, first difference at byte {at}",
        committed.len(),
        fresh.len()
    );
    if name == TOOLCHAIN_FILE {
        text.push_str(&format!("; this machine has\n{}", String::from_utf8_lossy(fresh)));
    }
    text
}

fn test(root: &Path, examples: &[String], target: &Path) -> Result<()> {
    let projects = [SDK.to_owned()].into_iter().chain(examples.iter().map(|name| format!("examples/{name}")));
    let projects = projects.map(|name| root.join(name)).chain([stage_template(root, target)?]);
    for project in projects {
        say(&format!("testing {}", project.display()))?;
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.args(["test", "--quiet"]).current_dir(&project).env("CARGO_TARGET_DIR", target);
        if project.join("Cargo.lock").exists() {
            cargo.arg("--locked");
        }
        let status = cargo.status().context("start cargo")?;
        if !status.success() {
            bail!("the tests of {} failed", project.display());
        }
    }
    Ok(())
}

/// Names of the directories of `examples/` that hold an app.
fn examples(root: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(root.join("examples"))? {
        let path = entry?.path();
        if path.join("Cargo.toml").is_file() && path.join("sealwork.toml").is_file() {
            let name = path.file_name().and_then(|name| name.to_str()).context("example names are UTF-8")?;
            names.push(name.to_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// Copies an example and the SDK into one workspace.
fn stage_example(root: &Path, name: &str, target: &Path) -> Result<PathBuf> {
    let from = root.join("examples").join(name);
    let stage = empty_stage(target, name)?;
    copy_tree(&from.join("src"), &stage.join("src"))?;
    copy_tree(&root.join(SDK).join("src"), &stage.join("sealwork-guest/src"))?;
    fs::copy(from.join("Cargo.lock"), stage.join("Cargo.lock")).context("examples have a Cargo.lock")?;
    rewrite(&from.join("Cargo.toml"), &stage.join("Cargo.toml"), &format!("../../{SDK}"), "sealwork-guest")?;
    rewrite(
        &root.join(SDK).join("Cargo.toml"),
        &stage.join("sealwork-guest/Cargo.toml"),
        "\n[workspace]\n",
        "\n",
    )?;
    Ok(stage)
}

/// Fills in the template as `sealwork new` does.
fn stage_template(root: &Path, target: &Path) -> Result<PathBuf> {
    let stage = empty_stage(target, SAMPLE)?;
    copy_tree(&root.join(TEMPLATE).join("src"), &stage.join("src"))?;
    rewrite(&root.join(TEMPLATE).join("Cargo.toml.in"), &stage.join("Cargo.toml"), "{{name}}", SAMPLE)?;
    Ok(stage)
}

fn empty_stage(target: &Path, name: &str) -> Result<PathBuf> {
    let stage = target.join("stage").join(name);
    if stage.exists() {
        fs::remove_dir_all(&stage)?;
    }
    fs::create_dir_all(&stage)?;
    Ok(stage)
}

fn rewrite(from: &Path, to: &Path, old: &str, new: &str) -> Result<()> {
    let text = fs::read_to_string(from).with_context(|| format!("read {}", from.display()))?;
    if !text.contains(old) {
        bail!("{} does not contain {old:?}", from.display());
    }
    fs::write(to, text.replace(old, new)).with_context(|| format!("write {}", to.display()))
}

fn copy_tree(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).with_context(|| format!("list {}", from.display()))? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_tree(&entry.path(), &to)?;
        } else {
            fs::copy(entry.path(), to)?;
        }
    }
    Ok(())
}

fn target_dir(root: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |path| root.join(path))
}

fn say(text: &str) -> Result<()> {
    writeln!(std::io::stderr(), "{text}").context("write to standard error")
}
