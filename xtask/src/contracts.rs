//! `cargo xtask contracts`: compiles `contracts/` and writes the committed artifacts that Rust and TypeScript read.
//!
//! The only automation that needs node. Everything else reads `contracts/artifacts`.

use crate::{shell, tools};
use anyhow::{Context, Result, bail};
use serde_json::{Map, Value};
use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Contracts with a committed artifact and snapshots.
pub(crate) const NAMES: [&str; 8] =
    ["Attestations", "Batches", "Book", "Channels", "DevToken", "Market", "NativeGateway", "Registry"];

/// Where [`build`] puts what the compiler says about `src`.
pub(crate) const BUILT: &str = "cache/artifacts";

/// Compiles and rewrites all artifacts, or with `check` fails when one differs.
pub(crate) fn run(root: &Path, check: bool) -> Result<()> {
    let project = root.join("contracts");
    install(&project)?;
    build(&project)?;
    for name in NAMES {
        let built = project.join(BUILT).join(format!("{name}.sol/{name}.json"));
        let content =
            minimal(&fs::read_to_string(&built).with_context(|| format!("read {}", built.display()))?)
                .with_context(|| format!("artifact of {name}"))?;
        let path = project.join(format!("artifacts/{name}.json"));
        if !check {
            fs::write(&path, content).with_context(|| format!("write {}", path.display()))?;
        } else if fs::read_to_string(&path).unwrap_or_default() != content {
            bail!(
                "contracts/artifacts/{name}.json is stale; run `cargo xtask contracts` and commit the result"
            );
        }
    }
    Ok(())
}

/// How much fuzzing the options ask for: a profile of `foundry.toml`.
pub(crate) fn profile(options: &[String]) -> &'static str {
    let has = |flag: &str| options.iter().any(|option| option == flag);
    if has("--nightly") {
        "nightly"
    } else if has("--ci") {
        "ci"
    } else {
        "default"
    }
}

/// Checks format and runs all tests of the contracts, with as much fuzzing as a profile of `foundry.toml` says. Tests run
/// the code in the artifacts, so these have to be fresh.
pub(crate) fn test(root: &Path, profile: &str) -> Result<()> {
    run(root, true)?;
    let project = root.join("contracts");
    let forge = forge(&project)?;
    execute(Command::new(&forge).args(["fmt", "--check"]).current_dir(&project))?;
    execute(Command::new(&forge).arg("test").env("FOUNDRY_PROFILE", profile).current_dir(&project))
}

/// Installs the compiler once, as `package-lock.json` says.
pub(crate) fn install(project: &Path) -> Result<()> {
    if forge(project).is_ok() {
        return Ok(());
    }
    shell::run(project, shell::NPM_INSTALL).context("install the Solidity toolchain (needs node and npm)")
}

/// The native program. The script that npm puts before it reports success whatever happens.
pub(crate) fn forge(project: &Path) -> Result<PathBuf> {
    let packages = project.join("node_modules/@foundry-rs");
    let entries = fs::read_dir(&packages).with_context(|| format!("read {}", packages.display()))?;
    entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("forge-")))
        .flat_map(|path| [path.join("bin/forge"), path.join("bin/forge.exe")])
        .find(|path| path.exists())
        .context(
            "no forge for this platform in contracts/node_modules; run `npm install --no-save` in contracts",
        )
}

/// Compiles `src` into [`BUILT`] with everything that artifacts, snapshots and slither read. Always from nothing and
/// without tests, because which files are compiled together can change the compiler's output; not again while nothing
/// that goes in has changed.
pub(crate) fn build(project: &Path) -> Result<()> {
    let built = project.join(BUILT);
    let stamp = built.join("inputs.txt");
    let inputs = inputs(project)?;
    if fs::read_to_string(&stamp).is_ok_and(|text| text == inputs) {
        return Ok(());
    }
    if built.exists() {
        fs::remove_dir_all(&built).with_context(|| format!("remove {}", built.display()))?;
    }
    execute(
        Command::new(forge(project)?)
            .args(["build", "src", "--force", "--build-info", "--extra-output", "storageLayout"])
            .args(["--out", BUILT, "--cache-path", "cache/artifacts-cache"])
            .env("FOUNDRY_PROFILE", "release")
            .current_dir(project),
    )?;
    fs::write(&stamp, inputs).with_context(|| format!("write {}", stamp.display()))
}

/// Names and fingerprints of the files that decide what the compiler puts out.
fn inputs(project: &Path) -> Result<String> {
    let mut paths = files(&project.join("src"), ".sol")?;
    paths.extend(["foundry.toml", "package-lock.json", "solc.mjs"].map(|name| project.join(name)));
    paths.iter().try_fold(String::new(), |mut text, path| {
        let content = fs::read(path).with_context(|| format!("read {}", path.display()))?;
        writeln!(text, "{:016x} {}", tools::fingerprint(&content), path.display())?;
        Ok(text)
    })
}

/// Files below a folder whose name ends so, in order.
pub(crate) fn files(folder: &Path, ending: &str) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| format!("read {}", folder.display()))? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().ends_with(ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

pub(crate) fn execute(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("start {}", command.get_program().display()))?;
    if !status.success() {
        bail!("{} ended with {status}", command.get_program().display());
    }
    Ok(())
}

/// Keeps ABI and bytecode of a forge artifact: one line for each ABI entry, so that a change is readable.
fn minimal(built: &str) -> Result<String> {
    let artifact: Value = serde_json::from_str(built)?;
    let entries = artifact.get("abi").and_then(Value::as_array).context("no abi")?;
    let mut out = String::from("{\n  \"abi\": [");
    for (position, entry) in entries.iter().enumerate() {
        let separator = if position == 0 { "" } else { "," };
        write!(out, "{separator}\n    {}", without_internal_types(entry))?;
    }
    out.push_str("\n  ]");
    for key in ["bytecode", "deployedBytecode"] {
        let code = artifact
            .pointer(&format!("/{key}/object"))
            .and_then(Value::as_str)
            .with_context(|| format!("no {key}"))?;
        if !code.strip_prefix("0x").is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
        {
            bail!("{key} is not plain hex: a library is not linked");
        }
        write!(out, ",\n  \"{key}\": \"{code}\"")?;
    }
    write!(out, ",\n  \"immutables\": {}", immutables(&artifact)?)?;
    out.push_str("\n}\n");
    Ok(out)
}

/// Start and length of every place in the deployed code that the constructor fills in, as `[[start,length],...]`.
fn immutables(artifact: &Value) -> Result<String> {
    let references = artifact.pointer("/deployedBytecode/immutableReferences").and_then(Value::as_object);
    let mut places = Vec::new();
    for place in references.into_iter().flat_map(|by_id| by_id.values()).filter_map(Value::as_array).flatten()
    {
        let number =
            |key| place.get(key).and_then(Value::as_u64).context("an immutable reference has no place");
        places.push([number("start")?, number("length")?]);
    }
    places.sort_unstable();
    Ok(serde_json::to_string(&places)?)
}

/// Compiler-internal names say nothing to a caller.
fn without_internal_types(value: &Value) -> Value {
    match value {
        Value::Object(fields) => Value::Object(
            fields
                .iter()
                .filter(|(key, _)| *key != "internalType")
                .map(|(key, field)| (key.clone(), without_internal_types(field)))
                .collect::<Map<_, _>>(),
        ),
        Value::Array(items) => Value::Array(items.iter().map(without_internal_types).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}
