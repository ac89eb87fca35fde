//! Sealing and opening beside the bare cipher.

use super::{
    figure::{Bar, Figure},
    openssl,
    program::{self, Measured},
};
use anyhow::Result;
use std::path::Path;

const ROUNDS: usize = 5;

pub(crate) fn measure(root: &Path) -> Result<Vec<Figure>> {
    let program = program::build(root, "sealwork-seal", "bench_seal")?;
    let mut measured = Measured::default();
    for _ in 0..ROUNDS {
        measured.extend([openssl::speed("chacha20-poly1305")?]);
        measured.extend(program::run(&program, &[])?);
    }
    let cipher = measured.get("openssl chacha20-poly1305")?;
    let stream = |name: &str| -> Result<Figure> {
        Ok(Figure::median(measured.get(name)?).beside(cipher).bar(Bar::RatioAtLeast(0.40)))
    };
    Ok(vec![
        stream("seal::stream/bytes=256MiB")?,
        stream("open::stream/bytes=256MiB")?,
        Figure::median(measured.get("seal::file/bytes=1KiB")?),
        Figure::median(measured.get("open::file/bytes=1KiB")?).bar(Bar::AtMost(0.5)),
    ])
}
