//! The embedded chain beside anvil, under the load of one generator over the same path.

use super::{
    figure::{Bar, Figure},
    network::Scratch,
    program::{self, Measured},
};
use crate::{conformance, contracts};
use anyhow::Result;
use std::path::{Path, PathBuf};

/// Rounds in which both are measured in turn; the order alternates.
const ROUNDS: usize = 5;
/// Starts in a round.
const STARTS: &str = "3";
/// Transfers with instant mining, and blocks of 1,000, in a round.
const RATES: [&str; 3] = ["rates", "1500", "4"];
/// Blocks of 1,000 after which memory is read, once for each.
const LONG_RUN: &str = "100";

/// Makes anvil what the embedded chain is, and as fast as it gets: the same rules and block size, the same number of past
/// states kept (by default it also writes older ones to disk), nothing printed. Its limit of transactions in an instant
/// block must be far above those that wait, or it makes empty blocks for ever.
const ANVIL_OPTIONS: [&str; 11] = [
    "--port",
    "PORT",
    "--silent",
    "--hardfork",
    "osaka",
    "--gas-limit",
    "60000000",
    "--prune-history",
    "1024",
    "--max-transactions",
    "100000",
];

/// What may be lost to measuring: two runs of the same program differ by this much.
const TOLERANCE: f64 = 0.05;
const NOT_LESS: Bar = Bar::RatioAtLeast(1.0 - TOLERANCE);
const NOT_MORE: Bar = Bar::RatioAtMost(1.0 + TOLERANCE);

/// What is measured, and what is asked of it.
const FIGURES: [(&str, Option<Bar>); 6] = [
    ("transfers", Some(NOT_LESS)),
    ("transfers a block", None),
    ("transfers in blocks of 1,000", Some(NOT_LESS)),
    ("make a block of 1,000", Some(NOT_MORE)),
    ("start-up", Some(NOT_MORE)),
    ("memory", Some(NOT_MORE)),
];

pub(crate) fn measure(root: &Path) -> Result<Vec<Figure>> {
    let bench = Bench::prepare(root)?;
    let (mut ours, mut theirs) = (Measured::default(), Measured::default());
    for round in 0..ROUNDS {
        let plans: &[&[&str]] = &[&["start", STARTS], &RATES];
        for plan in plans {
            bench.in_turn(round, plan, &mut ours, &mut theirs)?;
        }
    }
    bench.in_turn(0, &["memory", LONG_RUN], &mut ours, &mut theirs)?;
    let mut durable = Measured::default();
    for round in 0..ROUNDS {
        durable.extend(bench.on_disk(round)?);
    }
    let mut figures = Vec::new();
    for (name, bar) in FIGURES {
        let peer = theirs.get(name)?.named("anvil");
        let figure = Figure::median(ours.get(name)?).beside(&peer);
        figures.push(if let Some(bar) = bar { figure.bar(bar) } else { figure });
    }
    figures.push(Figure::median(durable.get("transfers")?).named("transfers, kept on disk"));
    Ok(figures)
}

/// The programs.
struct Bench {
    load: PathBuf,
    root: PathBuf,
    devchain: String,
    anvil: String,
}

impl Bench {
    fn prepare(root: &Path) -> Result<Self> {
        let load = program::build(root, "sealwork-devchain", "load")?;
        let devchain = program::build(root, "sealwork-devchain", "serve")?;
        let anvil = conformance::beside(&contracts::forge(&root.join("contracts"))?, "anvil")?;
        Ok(Self {
            load,
            root: root.to_path_buf(),
            devchain: devchain.display().to_string(),
            anvil: anvil.display().to_string(),
        })
    }

    fn in_turn(&self, round: usize, plan: &[&str], ours: &mut Measured, theirs: &mut Measured) -> Result<()> {
        let mut order = [true, false];
        order.rotate_left(round % 2);
        for embedded in order {
            if embedded {
                ours.extend(self.run(plan, &[&self.devchain, "PORT"])?);
            } else {
                let words: Vec<_> = [self.anvil.as_str()].into_iter().chain(ANVIL_OPTIONS).collect();
                theirs.extend(self.run(plan, &words)?);
            }
        }
        Ok(())
    }

    /// The embedded chain with a database, as `sealwork up` has it: every answer waits for the disk.
    fn on_disk(&self, round: usize) -> Result<Vec<program::Samples>> {
        let scratch = Scratch::new(&format!("chain-{round}"))?;
        let file = scratch.path().join("chain.redb").display().to_string();
        self.run(&["rates", "1500", "0"], &[&self.devchain, "PORT", &file])
    }

    fn run(&self, plan: &[&str], words: &[&str]) -> Result<Vec<program::Samples>> {
        program::run_in(&self.root, &self.load, &[plan, words].concat())
    }
}
