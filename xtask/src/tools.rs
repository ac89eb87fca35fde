//! Pinned programs that tests need and no system brings: installed once, each version in a folder of its own.

use crate::shell;
use anyhow::{Context, Result, bail};
use std::{
    ffi::OsStr,
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
};

/// A program from crates.io.
#[derive(Clone, Copy)]
pub(crate) struct CargoTool {
    name: &'static str,
    version: &'static str,
}

/// Compares the trees of the contracts' tests with the tests.
pub(crate) const BULLOAK: CargoTool = CargoTool { name: "bulloak", version: "0.9.2" };
/// Reads the contracts' documentation. 0.18.1 is the last that the compiler of this workspace builds.
pub(crate) const LINTSPEC: CargoTool = CargoTool { name: "lintspec", version: "0.18.1" };

/// Builds fuzz targets with the flags that libFuzzer needs.
pub(crate) const CARGO_FUZZ: CargoTool = CargoTool { name: "cargo-fuzz", version: "0.13.2" };

/// The program, after installing it if it is not there.
pub(crate) fn cargo_tool(tool: CargoTool) -> Result<PathBuf> {
    let CargoTool { name, version } = tool;
    let folder = folder()?.join(format!("{name}-{version}"));
    let program = folder.join("bin").join(name);
    let _lock = lock(&folder)?;
    if !program.exists() {
        shell::say(&format!("installing {name} {version}"));
        let status = Command::new("cargo")
            .args(["install", "--locked", "--quiet", name, "--version", version])
            .args([OsStr::new("--root"), folder.as_os_str()])
            .args([OsStr::new("--target-dir"), folder.join("build").as_os_str()])
            .status()
            .context("start cargo install")?;
        if !status.success() {
            bail!("{name} {version} cannot be installed: cargo install ended with {status}");
        }
        fs::remove_dir_all(folder.join("build")).context("remove what cargo install built")?;
    }
    Ok(program)
}

/// A program of a Python environment that has exactly the packages of `requirements`, after creating it if it is not
/// there. Needs `python3` 3.11 or later with venv and pip.
pub(crate) fn python_tool(requirements: &Path, program: &str) -> Result<PathBuf> {
    let wanted =
        fs::read_to_string(requirements).with_context(|| format!("read {}", requirements.display()))?;
    let folder = folder()?.join(format!("{program}-{:016x}", fingerprint(wanted.as_bytes())));
    let _lock = lock(&folder)?;
    let stamp = folder.join("installed.txt");
    if !stamp.exists() {
        shell::say(&format!("installing {program} as {} says", requirements.display()));
        run("python3", &["-m", "venv", "--clear"], &folder)
            .context("python3 with venv is needed (Debian: python3-venv)")?;
        let pip = folder.join("bin/pip");
        run(&pip, &["install", "--quiet", "--disable-pip-version-check", "--no-deps", "-r"], requirements)
            .with_context(|| format!("{program} cannot be installed"))?;
        fs::write(&stamp, wanted).with_context(|| format!("write {}", stamp.display()))?;
    }
    Ok(folder.join("bin").join(program))
}

/// FNV-1a: tells inputs apart, protects against nobody.
pub(crate) fn fingerprint(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

fn folder() -> Result<PathBuf> {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| std::env::home_dir().map(|home| home.join(".cache")));
    Ok(cache.context("neither XDG_CACHE_HOME nor a home directory is known")?.join("sealwork-tools"))
}

/// Two runs at once must not install into one folder. Open until the file is dropped.
fn lock(folder: &Path) -> Result<File> {
    let path = folder.with_added_extension("lock");
    fs::create_dir_all(folder.parent().context("tools have a folder")?)?;
    let file = File::create(&path).with_context(|| format!("create {}", path.display()))?;
    file.lock().with_context(|| format!("lock {}", path.display()))?;
    Ok(file)
}

fn run(program: impl AsRef<OsStr>, words: &[&str], last: &Path) -> Result<()> {
    let shown = program.as_ref().display().to_string();
    let status =
        Command::new(program).args(words).arg(last).status().with_context(|| format!("start {shown}"))?;
    if !status.success() {
        bail!("`{shown} {}` ended with {status}", words.join(" "));
    }
    Ok(())
}
