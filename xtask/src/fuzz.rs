//! `cargo xtask fuzz`: hostile inputs for every parser of outside bytes. docs/fuzzing.md says what is tried.

mod campaign;
mod corpus;

use crate::{
    shell::{self, Count, command, say},
    tools,
};
use anyhow::{Context, Result, bail, ensure};
use campaign::{Campaign, Outcome};
use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

/// What fuzzing is built with: coverage counters need an unstable flag.
const TOOLCHAIN: &str = "nightly";
const TRIPLE: &str = "x86_64-unknown-linux-gnu";
const SECONDS: u64 = 60;
const JOBS: usize = 2;

/// Where things are.
struct Places {
    root: PathBuf,
    /// Of the fuzz builds, apart from all others: they have flags of their own.
    target: PathBuf,
}

impl Places {
    fn find(root: &Path) -> Result<Self> {
        Ok(Self { root: root.to_owned(), target: shell::target_dir(root)?.join("fuzz") })
    }

    fn program(&self, name: &str) -> PathBuf {
        self.target.join(TRIPLE).join("release").join(name)
    }

    /// Inputs that are kept in the repository.
    fn corpus(&self) -> PathBuf {
        self.root.join("fuzz/corpus")
    }

    /// Inputs that runs on this machine found.
    fn found(&self, name: &str) -> PathBuf {
        self.target.join("found").join(name)
    }
}

/// What to do.
struct Options {
    only: Option<String>,
    seconds: u64,
    jobs: usize,
    /// Makes a run try the same inputs as another one.
    chance: Option<u64>,
    seed: bool,
    minimize: bool,
}

impl Options {
    fn parse(words: &[String]) -> Result<Self> {
        let (seconds, jobs) = (SECONDS, JOBS);
        let mut options = Self { only: None, seconds, jobs, chance: None, seed: false, minimize: false };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut number = || -> Result<u64> {
                let given = words.next().with_context(|| format!("{word} needs a number"))?;
                given.parse().with_context(|| format!("{word} is {given:?}, expected a number"))
            };
            match word.as_str() {
                "--seconds" => options.seconds = number()?,
                "--jobs" => options.jobs = usize::try_from(number()?)?.max(1),
                "--chance" => options.chance = Some(number()?),
                "--seed" => options.seed = true,
                "--minimize" => options.minimize = true,
                name if !name.starts_with('-') && options.only.is_none() => {
                    options.only = Some(name.to_owned());
                }
                other => {
                    bail!(
                        "{other:?} is unknown; expected [TARGET] [--seconds N] [--jobs N] [--chance N] [--seed|--minimize]"
                    )
                }
            }
        }
        Ok(options)
    }
}

/// Builds the targets and runs them, each for some seconds; a target that crashed counts as failed.
pub(crate) fn run(root: &Path, words: &[String]) -> Result<Count> {
    let options = Options::parse(words)?;
    let places = Places::find(root)?;
    let targets = targets(root, options.only.as_deref())?;
    shell::run(root, &["cargo", "fmt", "--manifest-path", "fuzz/Cargo.toml", "--check"])?;
    build(&places, options.only.as_deref())?;
    if options.seed {
        corpus::seed(&places, &targets)?;
        return Ok(Count { passed: 1, failed: 0 });
    }
    if options.minimize {
        corpus::minimize(&places, &targets)?;
        return Ok(Count { passed: 1, failed: 0 });
    }
    let Options { seconds, jobs, chance, .. } = options;
    let outcomes = Campaign { places: &places, seconds, jobs, chance }.run(&targets)?;
    report(&outcomes);
    let failed = outcomes.iter().filter(|outcome| outcome.failure.is_some()).count() as u64;
    Ok(Count { passed: (outcomes.len() as u64).saturating_sub(failed), failed })
}

/// Names of all targets, or the one asked for.
fn targets(root: &Path, only: Option<&str>) -> Result<Vec<String>> {
    let folder = root.join("fuzz/fuzz_targets");
    let entries = fs::read_dir(&folder).with_context(|| format!("list {}", folder.display()))?;
    let mut names = Vec::new();
    for entry in entries {
        let path = entry?.path();
        names.extend(path.file_stem().and_then(|stem| stem.to_str()).map(ToOwned::to_owned));
    }
    names.sort();
    match only {
        Some(only) if names.iter().any(|name| name == only) => Ok(vec![only.to_owned()]),
        Some(only) => bail!("there is no target {only:?}; the targets are {}", names.join(", ")),
        None => Ok(names),
    }
}

fn build(places: &Places, only: Option<&str>) -> Result<()> {
    let toolchain = format!("+{TOOLCHAIN}");
    let found = command(&places.root, &["cargo", &toolchain, "--version"]).output();
    ensure!(
        found.is_ok_and(|output| output.status.success()),
        "fuzzing needs the nightly toolchain: rustup toolchain install {TOOLCHAIN} --profile minimal"
    );
    let program = tools::cargo_tool(tools::CARGO_FUZZ)?;
    let folder = program.parent().context("a program lies in a folder")?;
    let path = env::join_paths(
        std::iter::once(folder.to_owned()).chain(env::split_paths(&env::var_os("PATH").unwrap_or_default())),
    )?;
    // No address sanitizer: there is no unsafe code of ours for it to look at, and without it inputs run twice as fast.
    // Debug assertions and overflow checks are on.
    let words = ["cargo", &toolchain, "fuzz", "build", "--fuzz-dir", "fuzz", "--sanitizer", "none"];
    let mut build = command(&places.root, &words);
    build.args([OsString::from("--target-dir"), places.target.clone().into()]).args(only).env("PATH", path);
    let status = build.status().context("start cargo fuzz")?;
    ensure!(status.success(), "the fuzz targets do not build: {status}");
    Ok(())
}

fn report(outcomes: &[Outcome]) {
    say(&format!("\n{:<14} {:>12} {:>9} {:>9} {:>7}", "target", "executions", "per s", "coverage", "corpus"));
    for outcome in outcomes {
        let Outcome { name, executions, per_second, coverage, corpus, failure } = outcome;
        let mark = if failure.is_some() { "  FAILED" } else { "" };
        say(&format!("{name:<14} {executions:>12} {per_second:>9} {coverage:>9} {corpus:>7}{mark}"));
    }
    for Outcome { name, failure, .. } in outcomes {
        if let Some(failure) = failure {
            say(&format!("\n{name}: {}\nreproduce: {}", failure.said, failure.reproduce));
        }
    }
}
