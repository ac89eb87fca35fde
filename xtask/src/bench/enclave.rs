//! Enclaves under the worker's host: starting, getting a program ready, tasks one by one and in batches.

use super::{
    figure::{Bar, Figure},
    program::{self, Measured},
};
use crate::shell;
use anyhow::{Result, bail};
use std::path::Path;

const ROUNDS: usize = 3;

pub(crate) fn measure(root: &Path) -> Result<Vec<Figure>> {
    // The example launches the program beside it.
    let build =
        [env!("CARGO"), "build", "--locked", "--quiet", "--release", "-p", "sealwork-enclave", "--bins"];
    let status = shell::command(root, &build).status()?;
    if !status.success() {
        bail!("`cargo build -p sealwork-enclave --bins` failed with {status}");
    }
    let program = program::build(root, "sealwork-enclave", "bench_enclave")?;
    let example = |path: &str| root.join("examples").join(path).display().to_string();
    let files =
        ["hash-tree/hash-tree.wasm", "cohort/cohort.wasm", "cohort/data/breast-cancer.csv"].map(example);
    let files = files.each_ref().map(String::as_str);
    let mut measured = Measured::default();
    for _ in 0..ROUNDS {
        measured.extend(program::run(&program, &files)?);
    }
    let figure = |name: &str| Ok::<_, anyhow::Error>(Figure::median(measured.get(name)?));
    let batch = |module: &str| -> Result<Figure> {
        let alone = measured.get(&format!("task::alone/module={module}"))?;
        Ok(figure(&format!("task::batch/module={module}"))?.beside(alone))
    };
    Ok(vec![
        figure("start::ready and attested")?.bar(Bar::AtMost(300.0)),
        figure("program::compiled/module=hash-tree")?.bar(Bar::AtMost(100.0)),
        figure("program::restored/module=hash-tree")?.bar(Bar::AtMost(1.0)),
        batch("empty")?,
        batch("cohort")?,
    ])
}
