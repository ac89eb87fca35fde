//! `cargo xtask conformance`: unmodified clients against the embedded chain and, as the measure, against anvil.
//!
//! Every script gets a fresh chain. The embedded one is started as people start it, with `sealwork chain`.
//! `conformance/README.md` says what the scripts check.

use crate::{
    contracts,
    shell::{self, Count, Running, command, counted, say, started},
    tools,
};
use anyhow::{Context, Result, bail, ensure};
use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

/// Scripts that run against one chain: name, and the file below `conformance/`.
const SCRIPTS: [(&str, &str); 4] = [
    ("viem", "ts/viem.ts"),
    ("ethers", "ts/ethers.js"),
    ("web3.py", "python/suite.py"),
    ("foundry", "ts/foundry.ts"),
];

/// The script that asks both chains the same.
const COMPARISON: &str = "compare";

/// The script that computes the golden vectors once more and needs no chain.
const VECTORS: &str = "vectors";

/// Makes anvil what the embedded chain is: rules and block size; and it must keep every step for traces.
const ANVIL_OPTIONS: [&str; 7] =
    ["--port", "0", "--hardfork", "osaka", "--gas-limit", "60000000", "--steps-tracing"];

/// Runs all scripts, or those that are named; the checks that they count.
pub(crate) fn run(root: &Path, names: &[String]) -> Result<Count> {
    let known = || SCRIPTS.iter().map(|(name, _)| *name).chain([COMPARISON, VECTORS]);
    if let Some(name) = names.iter().find(|name| !known().any(|known| known == **name)) {
        bail!("there is no script {name:?}; the scripts are {}", known().collect::<Vec<_>>().join(", "));
    }
    let wanted = |name: &str| names.is_empty() || names.iter().any(|wanted| wanted == name);
    let suite = Suite::prepare(root)?;
    let mut total = Count::default();
    for (name, file) in SCRIPTS.iter().filter(|(name, _)| wanted(name)) {
        for chain in [Chain::Embedded, Chain::Anvil] {
            total.add(suite.script(name, file, chain)?);
        }
    }
    if wanted(COMPARISON) {
        total.add(suite.comparison()?);
    }
    if wanted(VECTORS) {
        total.add(suite.counted(VECTORS, "ts/vectors.ts", &[])?);
    }
    Ok(total)
}

#[derive(Clone, Copy, Debug)]
enum Chain {
    Embedded,
    Anvil,
}

/// Everything that is installed and built before the first script.
struct Suite {
    folder: PathBuf,
    /// Runs TypeScript.
    typescript: PathBuf,
    /// Has the packages of `python/requirements.txt`.
    python: PathBuf,
    /// The command line, and a folder for it that is not the user's.
    sealwork: PathBuf,
    home: PathBuf,
    anvil: PathBuf,
}

impl Suite {
    fn prepare(root: &Path) -> Result<Self> {
        let folder = root.join("conformance");
        let toolchain = root.join("contracts");
        contracts::install(&toolchain)?;
        let packages = folder.join("ts");
        if !is_fresh(&packages)? {
            shell::run(&packages, shell::NPM_INSTALL)?;
        }
        let programs = packages.join("node_modules/.bin");
        shell::run(&packages, &[&programs.join("tsc").display().to_string(), "--noEmit"])
            .context("the TypeScript scripts have type errors")?;
        let python = tools::python_tool(&folder.join("python/requirements.txt"), "python")?;
        let forge = contracts::forge(&toolchain)?;
        shell::run(&folder.join("foundry"), &[&forge.display().to_string(), "build", "--quiet"])?;
        shell::run(root, &["cargo", "build", "--locked", "--package", "sealwork", "--bins"])?;
        let target = shell::target_dir(root)?;
        let (sealwork, home) = (target.join("debug/sealwork"), target.join("conformance"));
        let typescript = programs.join("tsx");
        Ok(Self { folder, typescript, python, sealwork, home, anvil: beside(&forge, "anvil")? })
    }

    fn script(&self, name: &str, file: &str, chain: Chain) -> Result<Count> {
        let (_running, url) = self.start(chain)?;
        self.counted(&format!("{name} on {chain:?}"), file, &[("CHAIN_URL", &url)])
    }

    fn comparison(&self) -> Result<Count> {
        let (_ours, ours) = self.start(Chain::Embedded)?;
        let (_theirs, theirs) = self.start(Chain::Anvil)?;
        self.counted(COMPARISON, "ts/compare.ts", &[("CHAIN_URL", &ours), ("PEER_URL", &theirs)])
    }

    fn counted(&self, title: &str, file: &str, environment: &[(&str, &str)]) -> Result<Count> {
        say(&format!("--- {title}"));
        let started = Instant::now();
        let path = self.folder.join(file).display().to_string();
        let interpreter = if file.ends_with(".py") { &self.python } else { &self.typescript };
        let mut script = command(&self.folder, &[&interpreter.display().to_string(), &path]);
        script.envs(environment.iter().copied());
        let count = counted(script)?;
        say(&format!("--- {title}: {:.0?}", started.elapsed()));
        Ok(count)
    }

    /// Starts a fresh chain on a free port; its address.
    fn start(&self, chain: Chain) -> Result<(Running, String)> {
        match chain {
            Chain::Embedded => {
                let mut command = Command::new(&self.sealwork);
                command.args(["chain", "--port", "0", "--json", "--home"]).arg(&self.home);
                started(command, |line| {
                    let answer: serde_json::Value = serde_json::from_str(line).ok()?;
                    answer.get("http")?.as_str().map(str::to_owned)
                })
            }
            Chain::Anvil => {
                let mut command = Command::new(&self.anvil);
                command.args(ANVIL_OPTIONS);
                started(command, |line| {
                    line.strip_prefix("Listening on ").map(|address| format!("http://{}", address.trim()))
                })
            }
        }
    }
}

/// Whether what is installed is what `package-lock.json` names.
fn is_fresh(packages: &Path) -> Result<bool> {
    let changed = |path: &str| packages.join(path).metadata().and_then(|file| file.modified());
    let wanted = changed("package-lock.json").context("package-lock.json")?;
    Ok(changed("node_modules/.package-lock.json").is_ok_and(|installed| installed >= wanted))
}

/// Another program of Foundry, installed in the same way: `forge-PLATFORM/bin/forge` has a twin `NAME-PLATFORM/bin/NAME`.
pub(crate) fn beside(forge: &Path, name: &str) -> Result<PathBuf> {
    let package = forge.ancestors().nth(2).context("forge lies in a package")?;
    let platform = package.file_name().and_then(|name| name.to_str()?.strip_prefix("forge"));
    let path = package
        .with_file_name(format!("{name}{}", platform.context("the package is named after forge")?))
        .join("bin")
        .join(name);
    ensure!(path.is_file(), "there is no {}; run `npm install --no-save` in contracts", path.display());
    Ok(path)
}
