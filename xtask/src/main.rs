//! All automation of the repository: `cargo xtask help` lists it.

mod contracts;
mod generate;
mod guests;

use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};

fn main() -> Result<()> {
    let root = root()?;
    let mut arguments = std::env::args().skip(1);
    let command = arguments.next().unwrap_or_default();
    let rest: Vec<String> = arguments.collect();
    let has = |flag: &str| rest.iter().any(|argument| argument == flag);
    match command.as_str() {
        "contracts" if has("--test") => contracts::test(&root),
        "contracts" => contracts::run(&root, has("--check")),
        "gen" => generate::run(&root, has("--check")),
        "guests" => guests::run(&root, guests::Mode::parse(&rest)?),
        other => bail!("unknown command {other:?}"),
    }
}

fn root() -> Result<PathBuf> {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_path_buf).context("xtask lies in the workspace root")
}
