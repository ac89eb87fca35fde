//! `cargo xtask test`: installs what the tests need and runs everything. `.ci/run` calls this and nothing else.

use crate::{
    bench, chaos, conformance, contracts, fuzz, generate, guests,
    proofs::Proof,
    shell::{self, Count, command, counted, say},
    sim,
};
use anyhow::Result;
use std::{path::Path, process::Command, time::Instant};

type Step<'a> = (&'a str, Box<dyn Fn() -> Result<Count> + 'a>);

const ONE: Count = Count { passed: 1, failed: 0 };

/// Runs every check and prints `N passed, N failed` as the last line; an error when anything failed.
pub(crate) fn run(root: &Path) -> Result<bool> {
    run_all(steps(root))
}

/// What takes hours: ten times the fuzzing, proofs with larger bounds.
pub(crate) fn nightly(root: &Path) -> Result<bool> {
    run_all(vec![
        ("npm packages", check(|| install_npm(root))),
        ("contract proofs", counting(root, &["contracts", "--prove", "--nightly"])),
        ("contract tests", counting(root, &["contracts", "--test", "--nightly"])),
        ("hostile inputs", Box::new(|| fuzz::run(root, &["--seconds".to_owned(), "600".to_owned()]))),
        ("simulation", Box::new(|| sim::count(root, sim::NIGHTLY))),
        ("faults on real processes", check(|| chaos::all_pass(root))),
        ("simulation without defences", Box::new(|| sim::without_defences(root))),
    ])
}

fn run_all(steps: Vec<Step<'_>>) -> Result<bool> {
    let mut total = Count::default();
    let mut failures = Vec::new();
    for (name, step) in steps {
        say(&format!("\n=== {name}"));
        let started = Instant::now();
        let count = step().unwrap_or_else(|error| {
            say(&format!("{name}: {error:#}"));
            Count { passed: 0, failed: 1 }
        });
        say(&format!(
            "=== {name}: {} passed, {} failed, {:.0?}",
            count.passed,
            count.failed,
            started.elapsed()
        ));
        if count.failed > 0 {
            failures.push(name);
        }
        total.add(count);
    }
    if !failures.is_empty() {
        say(&format!("\nfailed: {}", failures.join(", ")));
    }
    say(&format!("{} passed, {} failed", total.passed, total.failed));
    Ok(total.failed == 0)
}

fn steps(root: &Path) -> Vec<Step<'_>> {
    let cargo = |words: &'static [&'static str]| check(move || shell::run(root, words));
    vec![
        ("npm packages", check(|| install_npm(root))),
        ("formatting", cargo(&["cargo", "fmt", "--all", "--check"])),
        ("generated files", check(|| generate::run(root, true))),
        ("contract artifacts", check(|| contracts::run(root, true))),
        ("contract documentation", check(|| Proof::Natspec.run(root, &[]))),
        ("contract trees", check(|| Proof::Trees.run(root, &[]))),
        ("contract analysis", check(|| Proof::Analyze.run(root, &[]))),
        ("contract tests", counting(root, &["contracts", "--test", "--ci"])),
        ("contract snapshots", check(|| Proof::Snapshots.run(root, &["--check".to_owned()]))),
        ("contract proofs", check(|| Proof::Prove.run(root, &[]))),
        ("example modules", check(|| guests::run(root, guests::Mode::Check))),
        ("example tests", counting(root, &["guests", "--test"])),
        ("dependencies", check(|| deny(root))),
        (
            "clippy",
            cargo(&["cargo", "clippy", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"]),
        ),
        ("documentation", check(|| documentation(root))),
        ("build", cargo(&["cargo", "build", "--locked", "--workspace", "--all-targets"])),
        ("rust tests", Box::new(|| rust_tests(root))),
        // The same inputs every time: a change is judged by what it changes. The night looks further.
        ("hostile inputs", Box::new(|| fuzz::run(root, &["--chance".to_owned(), "1".to_owned()]))),
        ("simulation", Box::new(|| sim::count(root, sim::IN_CI))),
        ("gas of real transactions", check(|| gas(root))),
        ("JSON-RPC conformance", Box::new(|| conformance::run(root, &[]))),
        (
            "documentation examples",
            Box::new(|| counted(command(root, &["cargo", "test", "--workspace", "--doc"]))),
        ),
    ]
}

/// A step that holds or fails as a whole.
fn check<'a>(action: impl Fn() -> Result<()> + 'a) -> Box<dyn Fn() -> Result<Count> + 'a> {
    Box::new(move || action().map(|()| ONE))
}

/// A command of this program whose test runners' closing lines are counted.
fn counting<'a>(root: &'a Path, words: &'static [&'static str]) -> Box<dyn Fn() -> Result<Count> + 'a> {
    Box::new(move || {
        let mut this = Command::new(std::env::current_exe()?);
        this.args(words).current_dir(root);
        counted(this)
    })
}

/// No bar is missed, on the embedded chain and on anvil.
fn gas(root: &Path) -> Result<()> {
    anyhow::ensure!(bench::run(root, &["gas".to_owned()])?, "a bar is missed");
    Ok(())
}

fn documentation(root: &Path) -> Result<()> {
    let mut doc =
        command(root, &["cargo", "doc", "--locked", "--workspace", "--no-deps", "--document-private-items"]);
    let status = doc.env("RUSTDOCFLAGS", "-D warnings").status()?;
    anyhow::ensure!(status.success(), "rustdoc warns");
    Ok(())
}

fn rust_tests(root: &Path) -> Result<Count> {
    let nextest =
        command(root, &["cargo", "nextest", "--version"]).output().is_ok_and(|out| out.status.success());
    if !nextest {
        shell::run(root, &["cargo", "install", "--locked", "--quiet", "cargo-nextest"])?;
    }
    let mut tests = command(root, &["cargo", "nextest", "run", "--locked", "--workspace", "--no-fail-fast"]);
    tests.args(["--status-level", "fail", "--final-status-level", "slow"]);
    counted(tests)
}

/// Folders with a `package-lock.json` whose packages tests use.
const NPM_FOLDERS: &[&str] = &["contracts", "crates/sealwork-seal/tests/interop"];

fn install_npm(root: &Path) -> Result<()> {
    for folder in NPM_FOLDERS {
        let directory = root.join(folder);
        let stamp = directory.join("node_modules/.package-lock.json");
        if !stamp.exists() {
            shell::run(&directory, shell::NPM_INSTALL)?;
        }
    }
    Ok(())
}

/// Licences, bans and sources; the advisory database is not reachable from every machine, so it is not asked here.
fn deny(root: &Path) -> Result<()> {
    let installed =
        command(root, &["cargo", "deny", "--version"]).output().is_ok_and(|out| out.status.success());
    if !installed {
        shell::run(root, &["cargo", "install", "--locked", "--quiet", "cargo-deny", "--version", "0.20.2"])?;
    }
    shell::run(root, &["cargo", "deny", "--all-features", "check", "bans", "licenses", "sources"])
}
