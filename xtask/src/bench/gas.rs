//! Gas of real transactions, on the embedded chain and on anvil.

use super::{
    figure::{Bar, Figure},
    network,
    program::{self, Measured},
};
use anyhow::{Context, Result};
use std::{path::Path, process::Command};

/// Figure, iExec's for the same (PoCo v6.2.0), and our bar. Medians: the first repetition of some pays for storage that
/// nobody used before.
const FIGURES: [(&str, Option<f64>, Option<f64>); 20] = [
    ("registerApp", Some(661_049.0), Some(150_000.0)),
    ("registerDataset", Some(631_276.0), Some(150_000.0)),
    ("registerPool", Some(582_718.0), Some(150_000.0)),
    ("deposit", None, None),
    ("matchOrders", None, Some(150_000.0)),
    ("settle", None, Some(60_000.0)),
    ("match and settle", Some(1_514_992.0), Some(210_000.0)),
    ("one transaction", Some(556_970.0), Some(130_000.0)),
    ("match and settle with dataset and callback", Some(1_814_621.0), Some(320_000.0)),
    ("one transaction with dataset and callback", Some(1_814_621.0), Some(320_000.0)),
    ("bag of 10 in a batch, each", Some(195_078.0), Some(25_000.0)),
    ("1,000 receipts in a batch, each", None, Some(500.0)),
    ("deposit and match in one transaction", Some(866_892.0), Some(200_000.0)),
    ("register enclave", None, Some(100_000.0)),
    ("register enclave with a new measurement", None, None),
    ("matchOrders, offers with a limit", None, None),
    ("settle, with a protocol fee", None, None),
    ("start", None, None),
    ("open a channel", None, None),
    ("redeem a voucher", None, None),
];

pub(crate) fn measure(root: &Path) -> Result<Vec<Figure>> {
    let gas = program::build_for_tests(root, "sealwork-chain", "gas")?;
    let chain = program::build_for_tests(root, "sealwork-devchain", "serve")?;
    let mut command = Command::new(chain);
    command.arg("0");
    let (devchain, url) =
        crate::shell::started(command, |line| line.starts_with("http://").then(|| line.trim().to_owned()))?;
    let embedded = on(&gas, &url)?;
    drop(devchain);
    let mut figures = Vec::new();
    for (name, poco, bar) in FIGURES {
        let mut figure = Figure::median(embedded.get(name)?);
        if let Some(poco) = poco {
            figure = figure.beside_known("iExec PoCo 6.2.0", poco);
        }
        figures.push(if let Some(bar) = bar { figure.bar(Bar::AtMost(bar)) } else { figure });
    }
    let anvil = network::anvil(root)?.context("anvil is not installed; `cargo xtask contracts` does it")?;
    let theirs = on(&gas, &anvil.1)?;
    for (name, ..) in FIGURES {
        let ours = Figure::median(embedded.get(name)?).named(&format!("{name}, on anvil"));
        let peer = theirs.get(name)?.percentile(50.0);
        figures.push(ours.beside_known("anvil", peer).bar(Bar::RatioWithin(SAME)));
    }
    Ok(figures)
}

/// Times differ from chain to chain, and with them the zero bytes that calldata pays less for.
const SAME: f64 = 0.001;

/// Makes every kind of transaction on a chain and reads their gas.
fn on(gas: &Path, rpc: &str) -> Result<Measured> {
    let mut measured = Measured::default();
    measured.extend(program::run(gas, &[rpc])?);
    Ok(measured)
}
