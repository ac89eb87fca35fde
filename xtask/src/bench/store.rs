//! Adding and reading content beside hashing it once on one core.

use super::{
    figure::{Bar, Figure},
    network::Scratch,
    openssl,
    program::{self, Measured},
};
use anyhow::Result;
use std::path::Path;

const ROUNDS: usize = 5;

pub(crate) fn measure(root: &Path) -> Result<Vec<Figure>> {
    let program = program::build(root, "sealwork-store", "bench_store")?;
    let scratch = Scratch::new("store")?;
    let mut measured = Measured::default();
    for round in 0..ROUNDS {
        measured.extend([openssl::speed("sha256")?]);
        let folder = scratch.path().join(round.to_string());
        measured.extend(program::run(&program, &[&folder.display().to_string()])?);
        std::fs::remove_dir_all(&folder)?;
    }
    let beside = |name: &str, peer: &str| -> Result<Figure> {
        Ok(Figure::median(measured.get(name)?).beside(measured.get(peer)?))
    };
    let (hash, cpu) = ("sha256::chunks/bytes=512MiB", "sha256::chunks/bytes=512MiB per CPU second");
    Ok(vec![
        beside(cpu, "openssl sha256")?,
        beside("add::cached/bytes=512MiB", hash)?.bar(Bar::RatioAtLeast(0.60)),
        beside("add::cached/bytes=512MiB per CPU second", cpu)?,
        beside("add::durable/bytes=512MiB", hash)?,
        beside("cat::cached/bytes=512MiB", hash)?.bar(Bar::RatioAtLeast(0.60)),
        beside("cat::cached/bytes=512MiB per CPU second", cpu)?,
        beside("write::cached/bytes=512MiB", hash)?,
    ])
}
