//! Programs that measure: built in release mode, one JSON object a line on their standard output.

use super::figure::percentile;
use crate::shell;
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// What a program measured under one name.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Samples {
    pub(crate) name: String,
    pub(crate) unit: String,
    #[serde(rename = "samples")]
    pub(crate) values: Vec<f64>,
}

impl Samples {
    /// The same values under another name.
    pub(crate) fn named(&self, name: &str) -> Self {
        Self { name: name.to_owned(), ..self.clone() }
    }

    pub(crate) fn percentile(&self, percent: f64) -> f64 {
        percentile(self.values.clone(), percent)
    }
}

/// What programs measured, by name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Measured(Vec<Samples>);

impl Measured {
    /// Adds samples, joining those of the same name.
    pub(crate) fn extend(&mut self, more: impl IntoIterator<Item = Samples>) {
        for samples in more {
            match self.0.iter_mut().find(|known| known.name == samples.name) {
                Some(known) => known.values.extend(samples.values),
                None => self.0.push(samples),
            }
        }
    }

    pub(crate) fn get(&self, name: &str) -> Result<&Samples> {
        self.0
            .iter()
            .find(|samples| samples.name == name)
            .with_context(|| format!("nothing measured {name:?}"))
    }

    pub(crate) fn all(&self) -> &[Samples] {
        &self.0
    }
}

/// Builds an example of a package in release mode and returns its path. Cargo's messages go to standard error.
pub(crate) fn build(root: &Path, package: &str, example: &str) -> Result<PathBuf> {
    cargo(root, &["--release", "-p", package, "--example", example])?;
    Ok(shell::target_dir(root)?.join("release/examples").join(example))
}

/// Builds an example as tests build it, for what does not depend on speed, and returns its path.
pub(crate) fn build_for_tests(root: &Path, package: &str, example: &str) -> Result<PathBuf> {
    cargo(root, &["-p", package, "--example", example])?;
    Ok(shell::target_dir(root)?.join("debug/examples").join(example))
}

/// Builds `sealwork` and its enclave program in release mode and returns the path of the first.
pub(crate) fn build_sealwork(root: &Path) -> Result<PathBuf> {
    cargo(root, &["--release", "-p", "sealwork", "-p", "sealwork-enclave", "--bins"])?;
    Ok(shell::target_dir(root)?.join("release/sealwork"))
}

fn cargo(root: &Path, what: &[&str]) -> Result<()> {
    let status = shell::command(root, &[env!("CARGO"), "build", "--locked", "--quiet"])
        .args(what)
        .stdout(Stdio::null())
        .status()?;
    if !status.success() {
        bail!("`cargo build {}` failed with {status}", what.join(" "));
    }
    Ok(())
}

/// Runs a program and reads what it measured.
pub(crate) fn run(program: &Path, arguments: &[&str]) -> Result<Vec<Samples>> {
    run_in(Path::new("."), program, arguments)
}

/// Runs a program in a directory and reads what it measured.
pub(crate) fn run_in(directory: &Path, program: &Path, arguments: &[&str]) -> Result<Vec<Samples>> {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(directory)
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("start {}", program.display()))?;
    if !output.status.success() {
        bail!("{} failed with {}", program.display(), output.status);
    }
    let text = String::from_utf8(output.stdout).context("a measurement is not text")?;
    text.lines()
        .map(|line| serde_json::from_str(line).with_context(|| format!("read the measurement {line:?}")))
        .collect()
}
