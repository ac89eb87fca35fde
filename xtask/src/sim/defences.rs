//! `cargo xtask sim --defences`: takes one defence after the other out of the product, and demands that the simulation
//! notices. A simulation that misses one would miss a defect like it.

use super::simulation;
use crate::shell::{Count, say};
use anyhow::{Context, Result, ensure};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
};

/// Seeds that are tried, until one notices.
const SEEDS: &str = "0..400";

/// Something in the product that a fault makes necessary.
struct Defence {
    name: &'static str,
    file: &'static str,
    /// Stands in the file once.
    with: &'static str,
    without: &'static str,
}

const DEFENCES: &[Defence] = &[
    Defence {
        name: "what replaced blocks showed is taken back",
        file: "crates/sealwork-worker/src/journal.rs",
        with: "tables.rewind(block, &mut changed)?;",
        without: "let _ = block;",
    },
    Defence {
        name: "the event cursor moves together with what the events bring",
        file: "crates/sealwork-worker/src/journal.rs",
        with: "        self.write(|tables| {\n            let mut changed = Vec::new();",
        without: "        self.write(|tables| tables.move_cursor(cursor))?;\n        self.write(|tables| {\n            let mut changed = Vec::new();",
    },
    Defence {
        name: "jobs that ran when the worker died run again",
        file: "crates/sealwork-worker/src/journal.rs",
        with: "journal.write(|tables| tables.requeue())?;",
        without: "journal.write(|_| Ok(()))?;",
    },
    Defence {
        name: "events are compared with a second endpoint",
        file: "crates/sealwork-chain/src/events.rs",
        with: "(other.is_steady() && other.digest() != look.digest()).then_some((second, other))",
        without: "(other.is_steady() && false).then_some((second, other))",
    },
    Defence {
        name: "the CAS appraises enclaves",
        file: "crates/sealwork-cas/src/member/grant.rs",
        with: "appraise(&claims, &asked, now).map_err(|error| Denial::because(DenialRule::Appraisal, &error))?;",
        without: "let _ = (&asked, appraise);",
    },
    Defence {
        name: "transactions that endpoints lose are sent again",
        file: "crates/sealwork-chain/src/sender/follow.rs",
        with: "match self.push(&mut flight, pushes > 1).await {",
        without: "match Ok::<Option<TransactionReceipt>, ChainError>(None) {",
    },
];

/// Takes each defence out and counts those that the simulation misses as failed.
pub(crate) fn run(root: &Path) -> Result<Count> {
    let mut count = Count::default();
    for defence in DEFENCES {
        let noticed = is_noticed(root, defence)?;
        say(&format!(
            "{}: without it {}",
            defence.name,
            if noticed { "a seed fails" } else { "NO SEED FAILS" }
        ));
        count.add(Count { passed: u64::from(noticed), failed: u64::from(!noticed) });
    }
    Ok(count)
}

fn is_noticed(root: &Path, defence: &Defence) -> Result<bool> {
    let _taken_out = TakenOut::new(root, defence)?;
    let arguments = ["--seeds", SEEDS, "--until-wrong"].map(str::to_owned);
    let mut run = simulation(root, &arguments).with_context(|| format!("without: {}", defence.name))?;
    Ok(!run.stdout(Stdio::null()).status()?.success())
}

/// A file without a defence; put right when dropped.
struct TakenOut {
    path: PathBuf,
    text: String,
}

impl TakenOut {
    fn new(root: &Path, defence: &Defence) -> Result<Self> {
        let path = root.join(defence.file);
        let text = fs::read_to_string(&path)?;
        let places = text.matches(defence.with).count();
        ensure!(places == 1, "{} holds {:?} {places} times, expected once", defence.file, defence.with);
        fs::write(&path, text.replace(defence.with, defence.without))?;
        Ok(Self { path, text })
    }
}

impl Drop for TakenOut {
    fn drop(&mut self) {
        if let Err(error) = fs::write(&self.path, &self.text) {
            say(&format!("cannot put {} right: {error}; `git checkout` it", self.path.display()));
        }
    }
}
