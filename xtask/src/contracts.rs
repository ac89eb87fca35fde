//! `cargo xtask contracts`: compiles `contracts/` and writes the committed artifacts that Rust and TypeScript read.
//!
//! The only automation that needs node. Everything else reads `contracts/artifacts`.

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value};
use std::{fmt::Write as _, fs, path::Path, process::Command};

/// Contracts with a committed artifact.
const NAMES: [&str; 6] = ["Attestations", "DevToken", "Escrow", "Market", "Registry", "Tasks"];

/// Compiles and rewrites all artifacts, or with `check` fails when one differs.
pub(crate) fn run(root: &Path, check: bool) -> Result<()> {
    let project = root.join("contracts");
    install(&project)?;
    compile(&project)?;
    for name in NAMES {
        let built = project.join(format!("cache/artifacts/{name}.sol/{name}.json"));
        let content = minimal(&fs::read_to_string(&built).with_context(|| format!("read {}", built.display()))?)
            .with_context(|| format!("artifact of {name}"))?;
        let path = project.join(format!("artifacts/{name}.json"));
        if !check {
            fs::write(&path, content).with_context(|| format!("write {}", path.display()))?;
        } else if fs::read_to_string(&path).unwrap_or_default() != content {
            bail!("contracts/artifacts/{name}.json is stale; run `cargo xtask contracts` and commit the result");
        }
    }
    Ok(())
}

/// Installs the compiler once, as `package-lock.json` says.
fn install(project: &Path) -> Result<()> {
    if project.join("node_modules/.bin/forge").exists() {
        return Ok(());
    }
    execute(Command::new("npm").arg("ci").current_dir(project)).context("install the Solidity toolchain (needs node and npm)")
}

/// Always from nothing, without tests: which files are compiled together can change the compiler's output.
fn compile(project: &Path) -> Result<()> {
    let arguments = ["build", "--force", "--skip", "test", "--skip", "script"];
    let directories = ["--out", "cache/artifacts", "--cache-path", "cache/artifacts-cache"];
    execute(Command::new("node_modules/.bin/forge").args(arguments).args(directories).current_dir(project))
}

fn execute(command: &mut Command) -> Result<()> {
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
        let code = artifact.pointer(&format!("/{key}/object")).and_then(Value::as_str).with_context(|| format!("no {key}"))?;
        if !code.strip_prefix("0x").is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit())) {
            bail!("{key} is not plain hex: a library is not linked");
        }
        write!(out, ",\n  \"{key}\": \"{code}\"")?;
    }
    out.push_str("\n}\n");
    Ok(out)
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
        other => other.clone(),
    }
}
