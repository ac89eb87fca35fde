//! `cargo xtask demo`: builds both programs and runs the demo.

use crate::shell;
use anyhow::{Context, Result};
use std::{path::Path, process::Command, time::Instant};

/// Builds in release mode and runs `sealwork demo`; whether it succeeded.
pub(crate) fn run(root: &Path, arguments: &[String]) -> Result<bool> {
    let started = Instant::now();
    shell::say("building sealwork and its enclave program (the first time takes minutes)");
    shell::run(
        root,
        &["cargo", "build", "--release", "--locked", "-p", "sealwork", "-p", "sealwork-enclave"],
    )?;
    shell::say(&format!("built in {:.0} s", started.elapsed().as_secs_f64()));
    let binary = shell::target_dir(root)?.join("release/sealwork");
    let status = Command::new(&binary)
        .arg("demo")
        .args(arguments)
        .current_dir(root)
        .status()
        .with_context(|| format!("start {}", binary.display()))?;
    Ok(status.success())
}
