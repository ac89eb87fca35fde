//! The kept corpus: valid inputs to start from, and some of what was found.

use super::Places;
use crate::shell::say;
use anyhow::{Context, Result, ensure};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// What is kept of one target: the repository should not grow with every run.
const MOST_FILES: usize = 60;
const MOST_BYTES: u64 = 100 * 1024;

/// Writes the valid inputs of every target; they have names, found ones have hashes.
pub(super) fn seed(places: &Places, targets: &[String]) -> Result<()> {
    for name in targets {
        let program = places.program(name);
        let status = Command::new(&program)
            .env("SEALWORK_FUZZ_SEEDS", places.corpus())
            .stdin(Stdio::null())
            .status()
            .with_context(|| format!("start {}", program.display()))?;
        ensure!(status.success(), "{name} cannot write its seeds: {status}");
    }
    seeded(places, targets)
}

fn seeded(places: &Places, targets: &[String]) -> Result<()> {
    for name in targets {
        let files = files(&places.corpus().join(name))?;
        say(&format!("{name}: {} inputs", files.len()));
    }
    Ok(())
}

/// Merges what was found on this machine into the kept corpus, and keeps some inputs of every size.
pub(super) fn minimize(places: &Places, targets: &[String]) -> Result<()> {
    for name in targets {
        let kept = places.corpus().join(name);
        let (seeds, old): (Vec<_>, Vec<_>) = files(&kept)?.into_iter().partition(|(path, _)| !is_hash(path));
        let merged = places.target.join("merged").join(name);
        let _ = fs::remove_dir_all(&merged);
        fs::create_dir_all(&merged)?;
        let program = places.program(name);
        let status = Command::new(&program)
            .args(["-merge=1", "-max_len=4096"])
            .args([&merged, &kept, &places.found(name)])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .with_context(|| format!("start {}", program.display()))?;
        ensure!(status.success(), "{name} cannot merge its corpus: {status}");
        for (path, _) in old {
            fs::remove_file(path)?;
        }
        let mut room = MOST_BYTES.saturating_sub(seeds.iter().map(|(_, bytes)| *bytes).sum());
        let mut new = files(&merged)?;
        new.sort_by_key(|(_, bytes)| *bytes);
        // Inputs of every size: the smallest alone would reach little.
        let step = new.len().div_ceil(MOST_FILES).max(1);
        for (path, bytes) in new.iter().step_by(step) {
            room = room.saturating_sub(*bytes);
            if room == 0 {
                break;
            }
            fs::copy(path, kept.join(path.file_name().context("a file has a name")?))?;
        }
    }
    seeded(places, targets)
}

/// Files of a folder with their sizes.
fn files(folder: &Path) -> Result<Vec<(PathBuf, u64)>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("list {}", folder.display()))? {
        let entry = entry?;
        files.push((entry.path(), entry.metadata()?.len()));
    }
    Ok(files)
}

/// Whether libFuzzer named this input: by the SHA-1 of its bytes.
fn is_hash(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name.len() == 40 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}
