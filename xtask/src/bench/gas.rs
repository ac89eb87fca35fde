//! Gas of real transactions, on the embedded chain and on anvil.

use super::{
    figure::{Bar, Figure},
    network::Network,
    program::{self, Measured},
};
use anyhow::Result;
use std::path::Path;

/// Tasks whose transactions are looked at; the first pays for fresh storage and is left out of the medians.
const RUNS: usize = 5;
/// Examples that are registered.
const EXAMPLES: [&str; 3] = ["cohort", "private-grep", "hash-tree"];

/// Call, iExec's figure for the same (PoCo v6.2.0), and our bar.
const CALLS: [(&str, Option<f64>, Option<f64>); 9] = [
    ("registerApp", Some(661_049.0), Some(150_000.0)),
    ("registerDataset", Some(631_276.0), Some(150_000.0)),
    ("registerPool", Some(582_718.0), Some(150_000.0)),
    ("approve", None, None),
    ("deposit", None, None),
    ("matchOrders", None, Some(150_000.0)),
    ("settle", None, Some(60_000.0)),
    ("match and settle", Some(1_514_992.0), Some(210_000.0)),
    ("register enclave", None, Some(100_000.0)),
];

pub(crate) fn measure(root: &Path) -> Result<Vec<Figure>> {
    let sealwork = program::build_sealwork(root)?;
    let reader = program::build(root, "sealwork-chain", "gas_of_calls")?;
    let embedded = on(root, &reader, &Network::on_devchain(&sealwork)?)?;
    let mut figures = Vec::new();
    for (call, poco, bar) in CALLS {
        let mut figure = Figure::median(embedded.get(call)?);
        if let Some(poco) = poco {
            figure = figure.beside_known("iExec PoCo 6.2.0", poco);
        }
        figures.push(if let Some(bar) = bar { figure.bar(Bar::AtMost(bar)) } else { figure });
    }
    let deposit_and_match =
        embedded.get("deposit")?.percentile(50.0) + embedded.get("matchOrders")?.percentile(50.0);
    figures.push(
        Figure::exact("deposit and match, two transactions", "gas", deposit_and_match)
            .beside_known("iExec PoCo 6.2.0, one transaction", 866_892.0)
            .bar(Bar::AtMost(200_000.0)),
    );
    if let Some(network) = Network::on_anvil(root, &sealwork)? {
        let anvil = on(root, &reader, &network)?;
        for (call, ..) in CALLS {
            let theirs = anvil.get(call)?.percentile(50.0);
            let ours = Figure::median(embedded.get(call)?).named(&format!("{call} on the embedded chain"));
            figures.push(ours.beside_known("anvil", theirs).bar(Bar::RatioWithin(0.01)));
        }
    }
    Ok(figures)
}

/// Makes every kind of transaction on a network and reads their gas.
fn on(root: &Path, reader: &Path, network: &Network) -> Result<Measured> {
    for example in EXAMPLES {
        network.publish(root, example)?;
    }
    let data = root.join("examples/cohort/data/breast-cancer.csv").display().to_string();
    for _ in 0..RUNS {
        network.command(&["run", "cohort", "--file", &data])?;
    }
    let mut measured = Measured::default();
    measured.extend(program::run(reader, &[network.rpc(), &network.document()])?);
    Ok(measured)
}
