//! `cargo xtask sim`: builds the simulation with optimizations and runs seeds.

mod defences;

use crate::shell::{self, Count, command, counted};
use anyhow::Result;
use std::{path::Path, process::Command};

/// Seeds of every run of the tests, and what they are run with. Of the first 2,000, 31 have open findings (docs/simulation.md);
/// those before the first of them are run until they are mended.
pub(crate) const IN_CI: &[&[&str]] = &[&["--seeds", "0..100"], &["--seeds", "0..20", "--twice"]];
/// Seeds of a night.
pub(crate) const NIGHTLY: &[&[&str]] =
    &[&["--seeds", "0..12000"], &["--seeds", "0..200", "--twice"], &["--seeds", "1", "--every-point"]];

pub(crate) use defences::run as without_defences;

/// Runs the simulation with arguments; whether everything was right.
pub(crate) fn run(root: &Path, arguments: &[String]) -> Result<bool> {
    if arguments == ["--defences"] {
        return Ok(without_defences(root)?.failed == 0);
    }
    Ok(simulation(root, arguments)?.status()?.success())
}

/// Runs the simulation with each of some arguments and counts the runs.
pub(crate) fn count(root: &Path, runs: &[&[&str]]) -> Result<Count> {
    let mut total = Count::default();
    for arguments in runs {
        let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        total.add(counted(simulation(root, &arguments)?)?);
    }
    Ok(total)
}

fn simulation(root: &Path, arguments: &[String]) -> Result<Command> {
    shell::run(root, &["cargo", "build", "--locked", "--quiet", "--profile", "sim", "-p", "sealwork-sim"])?;
    let words = ["cargo", "run", "--locked", "--quiet", "--profile", "sim", "-p", "sealwork-sim", "--"];
    let mut run = command(root, &words);
    run.args(arguments);
    Ok(run)
}
