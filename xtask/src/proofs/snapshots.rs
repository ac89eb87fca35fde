//! What the contracts look like from outside, as committed text: `contracts/snapshots`.

mod interface;
mod storage;

use crate::{contracts, shell};
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Bytes of code that a contract may have (EIP-170).
const MAX_CODE: usize = 24_576;
/// Bytes of code that may create a contract (EIP-3860).
const MAX_INIT_CODE: usize = 49_152;
/// `snapshots/` itself and the folders below it that have a file for each contract.
const FOLDERS: [&str; 3] = ["", "interface", "storage"];

/// Writes the snapshots, or with `check` shows what differs and fails.
pub(super) fn run(project: &Path, check: bool) -> Result<()> {
    contracts::build(project)?;
    let mut current = render(project)?;
    gas(project, &mut current)?;
    if !check {
        return write(project, &current);
    }
    ensure!(
        compare(project, &current)?,
        "contracts/snapshots is stale; run `cargo xtask contracts --snapshots`, review, commit"
    );
    Ok(())
}

/// Path below `snapshots/` to content.
fn render(project: &Path) -> Result<BTreeMap<PathBuf, String>> {
    let mut snapshots = BTreeMap::new();
    let mut sizes = format!("{:<16}{:>8}{:>16}{:>8}\n", "contract", "code", "below limit", "init");
    for name in contracts::NAMES {
        let path = project.join(contracts::BUILT).join(format!("{name}.sol/{name}.json"));
        let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
        let artifact: Value = serde_json::from_str(&text).with_context(|| path.display().to_string())?;
        let (code, init) = (length(&artifact, "deployedBytecode")?, length(&artifact, "bytecode")?);
        ensure!(code <= MAX_CODE, "{name} has {code} bytes of code; a contract may have {MAX_CODE}");
        ensure!(init <= MAX_INIT_CODE, "{name} is created by {init} bytes; {MAX_INIT_CODE} are allowed");
        writeln!(sizes, "{name:<16}{code:>8}{:>16}{init:>8}", MAX_CODE - code)?;
        let file = format!("{name}.txt");
        snapshots.insert(
            Path::new("interface").join(&file),
            interface::render(&artifact).with_context(|| format!("interface of {name}"))?,
        );
        snapshots.insert(
            Path::new("storage").join(&file),
            storage::render(&artifact).with_context(|| format!("storage of {name}"))?,
        );
    }
    snapshots.insert(PathBuf::from("sizes.txt"), sizes);
    Ok(snapshots)
}

/// Bytes of linked code under a key of an artifact.
fn length(artifact: &Value, key: &str) -> Result<usize> {
    let code = artifact.pointer(&format!("/{key}/object")).and_then(Value::as_str);
    let digits = code.and_then(|code| code.strip_prefix("0x")).with_context(|| format!("no {key}"))?;
    Ok(digits.len() / 2)
}

fn write(project: &Path, current: &BTreeMap<PathBuf, String>) -> Result<()> {
    let folder = project.join("snapshots");
    for path in superfluous(&folder, current)? {
        fs::remove_file(folder.join(&path)).with_context(|| format!("remove {}", path.display()))?;
    }
    put(&folder, current)
}

fn put(folder: &Path, current: &BTreeMap<PathBuf, String>) -> Result<()> {
    for (path, content) in current {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().context("a snapshot has a folder")?)?;
        fs::write(&path, content).with_context(|| format!("write {}", path.display()))?;
    }
    Ok(())
}

/// Whether the committed files are current; prints how they differ.
fn compare(project: &Path, current: &BTreeMap<PathBuf, String>) -> Result<bool> {
    let committed = project.join("snapshots");
    let mut fresh = true;
    for path in superfluous(&committed, current)? {
        shell::say(&format!("contracts/snapshots/{} belongs to no contract", path.display()));
        fresh = false;
    }
    put(&project.join("cache/snapshots"), current)?;
    for (path, content) in current {
        if fs::read_to_string(committed.join(path)).is_ok_and(|text| text == *content) {
            continue;
        }
        fresh = false;
        let old = committed.join(path);
        let old = if old.exists() { old } else { PathBuf::from("/dev/null") };
        let diff = Command::new("git")
            .args(["--no-pager", "diff", "--no-index", "--unified=1"])
            .args([&old, &project.join("cache/snapshots").join(path)])
            .output()
            .context("start git")?;
        shell::say(&format!("contracts/snapshots/{}", path.display()));
        let lines = String::from_utf8_lossy(&diff.stdout);
        for line in lines.lines().skip_while(|line| !line.starts_with("@@")) {
            shell::say(line);
        }
    }
    Ok(fresh)
}

/// Committed files that nothing writes any more.
fn superfluous(committed: &Path, current: &BTreeMap<PathBuf, String>) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for folder in FOLDERS {
        let Ok(entries) = fs::read_dir(committed.join(folder)) else {
            continue;
        };
        for entry in entries {
            let path = Path::new(folder).join(entry?.file_name());
            if !current.contains_key(&path) && committed.join(&path).is_file() {
                found.push(path);
            }
        }
    }
    Ok(found)
}

/// Adds the gas of the scenarios of `test/gas`, which name the files. Forge's own comparison passes over scenarios that
/// one side lacks, so it writes elsewhere and we compare.
fn gas(project: &Path, current: &mut BTreeMap<PathBuf, String>) -> Result<()> {
    let folder = project.join("cache/gas");
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("remove {}", folder.display()))?;
    }
    contracts::execute(
        Command::new(contracts::forge(project)?)
            .args(["test", "--match-path", "test/gas/*", "--gas-snapshot-emit", "true"])
            .env("FOUNDRY_SNAPSHOTS", "cache/gas")
            .current_dir(project),
    )?;
    for path in contracts::files(&folder, ".json")? {
        let name = path.file_name().context("a file has a name")?;
        let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
        current.insert(PathBuf::from(name), text);
    }
    Ok(())
}
