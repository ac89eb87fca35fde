//! `chaos`: faults on real processes, as many runs as asked for.

use crate::shell::say;
use anyhow::{Context, Result, ensure};
use std::{path::Path, process::Command};

/// Builds what is needed and hands `--runs N` and `--seed S` over; whether every run passed.
pub(crate) fn run(root: &Path, rest: &[String]) -> Result<bool> {
    let cargo = |arguments: &[&str]| -> Result<bool> {
        let status = Command::new(env!("CARGO")).args(arguments).current_dir(root).status();
        Ok(status.with_context(|| format!("run cargo {}", arguments.join(" ")))?.success())
    };
    if !cargo(&["build", "--locked", "-p", "sealwork-enclave"])? {
        return Ok(false);
    }
    say("runs of chain, storage, CAS, worker and enclave as processes, with faults");
    let mut arguments = vec!["test", "--locked", "-p", "sealwork", "--test", "chaos", "--"];
    arguments.extend(rest.iter().map(String::as_str));
    cargo(&arguments)
}

/// The runs of continuous integration.
pub(crate) fn all_pass(root: &Path) -> Result<()> {
    ensure!(run(root, &[])?, "a run failed; its line above says how to repeat it");
    Ok(())
}
