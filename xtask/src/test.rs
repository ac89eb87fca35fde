//! `cargo xtask test`: installs what the tests need and runs everything. `.ci/run` calls this and nothing else.

use crate::{contracts, generate, guests, shell::{self, Count, command, counted}};
use anyhow::Result;
use std::{path::Path, time::Instant};

type Step<'a> = (&'a str, Box<dyn Fn() -> Result<Count> + 'a>);

const ONE: Count = Count { passed: 1, failed: 0 };

/// Runs every check and prints `N passed, N failed` as the last line; an error when anything failed.
#[expect(clippy::print_stdout, reason = "a command line tool reports on standard output")]
pub(crate) fn run(root: &Path) -> Result<bool> {
    let mut total = Count::default();
    let mut failures = Vec::new();
    for (name, step) in steps(root) {
        println!("\n=== {name}");
        let started = Instant::now();
        let count = step().unwrap_or_else(|error| {
            println!("{name}: {error:#}");
            Count { passed: 0, failed: 1 }
        });
        println!("=== {name}: {} passed, {} failed, {:.0?}", count.passed, count.failed, started.elapsed());
        if count.failed > 0 {
            failures.push(name);
        }
        total.add(count);
    }
    if !failures.is_empty() {
        println!("\nfailed: {}", failures.join(", "));
    }
    println!("{} passed, {} failed", total.passed, total.failed);
    Ok(total.failed == 0)
}

fn steps(root: &Path) -> Vec<Step<'_>> {
    let check = |action: Box<dyn Fn() -> Result<()>>| -> Box<dyn Fn() -> Result<Count>> {
        Box::new(move || action().map(|()| ONE))
    };
    let owned = root.to_path_buf();
    let cargo = move |words: &'static [&'static str]| -> Box<dyn Fn() -> Result<()>> {
        let root = owned.clone();
        Box::new(move || shell::run(&root, words))
    };
    vec![
        ("install npm packages", check(Box::new({
            let root = root.to_path_buf();
            move || install_npm(&root)
        }))),
        ("formatting", check(cargo(&["cargo", "fmt", "--all", "--check"]))),
        ("generated files", check(Box::new({
            let root = root.to_path_buf();
            move || generate::run(&root, true)
        }))),
        ("contract artifacts", check(Box::new({
            let root = root.to_path_buf();
            move || contracts::run(&root, true)
        }))),
        ("contract tests", Box::new(|| contracts::test(root))),
        ("example modules", check(Box::new({
            let root = root.to_path_buf();
            move || guests::check(&root)
        }))),
        ("example tests", Box::new(|| guests::test(root))),
        ("clippy", check(cargo(&["cargo", "clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))),
        ("documentation", Box::new(|| {
            let mut doc = command(root, &["cargo", "doc", "--workspace", "--no-deps", "--document-private-items"]);
            doc.env("RUSTDOCFLAGS", "-D warnings");
            counted(doc)
        })),
        ("dependencies", check(Box::new({
            let root = root.to_path_buf();
            move || deny(&root)
        }))),
        ("build", check(cargo(&["cargo", "build", "--workspace", "--all-targets"]))),
        ("rust tests", Box::new(|| {
            let mut nextest = command(root, &["cargo", "nextest", "run", "--workspace", "--no-fail-fast"]);
            nextest.env("SEALWORK_CCTV_DIR", root.join("crates/sealwork-seal/tests/interop/node_modules/cctv-age"));
            counted(nextest)
        })),
        ("documentation examples", Box::new(|| counted(command(root, &["cargo", "test", "--workspace", "--doc"])))),
    ]
}

/// Folders with a `package-lock.json` whose packages tests use.
const NPM_FOLDERS: &[&str] = &["contracts", "crates/sealwork-seal/tests/interop"];

fn install_npm(root: &Path) -> Result<()> {
    for folder in NPM_FOLDERS {
        let directory = root.join(folder);
        let stamp = directory.join("node_modules/.package-lock.json");
        if !stamp.exists() {
            shell::run(&directory, &["npm", "ci", "--no-audit", "--no-fund"])?;
        }
    }
    Ok(())
}

/// Licences, bans and sources; the advisory database is not reachable from every machine, so it is not asked here.
fn deny(root: &Path) -> Result<()> {
    let installed = command(root, &["cargo", "deny", "--version"]).output().is_ok_and(|out| out.status.success());
    if !installed {
        shell::run(root, &["cargo", "install", "--locked", "--quiet", "cargo-deny", "--version", "0.20.2"])?;
    }
    shell::run(root, &["cargo", "deny", "--all-features", "check", "bans", "licenses", "sources"])
}
