//! Adding and reading content beside hashing it once on one core.

use super::{
    figure::{Bar, Figure},
    network::Scratch,
    openssl,
    program::{self, Measured, Samples},
};
use anyhow::Result;
use std::path::Path;

const ROUNDS: usize = 5;
const HASH: &str = "sha256::chunks/bytes=512MiB";
const HASH_CPU: &str = "sha256::chunks/bytes=512MiB per CPU second";
const WRITE: &str = "write::cached/bytes=512MiB";
const HASH_THEN_WRITE: &str = "sha256, then a plain write";

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
    measured.extend([hash_then_write(measured.get(HASH)?, measured.get(WRITE)?)]);
    let beside = |name: &str, peer: &str| -> Result<Figure> {
        Ok(Figure::median(measured.get(name)?).beside(measured.get(peer)?))
    };
    Ok(vec![
        beside(HASH_CPU, "openssl sha256")?,
        beside("add::named/bytes=512MiB", HASH)?,
        beside("add::cached/bytes=512MiB", HASH)?.bar(Bar::RatioAtLeast(0.60)),
        beside("add::cached/bytes=512MiB", HASH_THEN_WRITE)?.named("add::cached, beside hash and disk"),
        beside("add::durable/bytes=512MiB", HASH)?,
        beside("cat::cached/bytes=512MiB", HASH)?.bar(Bar::RatioAtLeast(0.60)),
        beside("cat::cached/bytes=512MiB per CPU second", HASH_CPU)?,
        beside(WRITE, HASH)?,
    ])
}

/// What one thread reaches that hashes everything and then writes it to a plain file, by round.
fn hash_then_write(hash: &Samples, write: &Samples) -> Samples {
    let values = hash.values.iter().zip(&write.values);
    Samples {
        name: HASH_THEN_WRITE.into(),
        unit: hash.unit.clone(),
        values: values.map(|(hash, write)| 1.0 / (1.0 / hash + 1.0 / write)).collect(),
    }
}
