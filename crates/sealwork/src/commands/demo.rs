//! `demo`: a whole network, a real program on real data, a checked receipt.

use super::{Context, app, run as run_task, verify};
use crate::{
    cli::{DemoArgs, InputArgs, PublishArgs, RunArgs, UpArgs, VerifyArgs},
    failure::{self, Failure},
    up::Network,
};
use anyhow::Result;
use std::{
    path::{Path, PathBuf},
    time::Instant,
};

/// The example that the demo runs.
const EXAMPLE: &str = "cohort";
/// Its data.
const DATA: &str = "data/breast-cancer.csv";

pub(crate) async fn run(context: &Context, arguments: &DemoArgs) -> Result<u8> {
    let started = Instant::now();
    let example = example(arguments)?;
    let folder = tempfile::tempdir()?;
    let demo = Context {
        home: context.home.beside(folder.path())?,
        output: context.output,
        operate: context.operate.clone(),
        wallet: "dev".into(),
        dry_run: false,
    };
    let note = |text: &str| context.output.note(text);
    note("1. start a local network: chain, storage, CAS, worker (simulated TEE)");
    let network = Box::pin(Network::start(&demo, &local_network(folder.path()))).await?;
    note("2. publish the app cohort: logistic regression over a patient table");
    app::publish(&demo, &PublishArgs { path: example.clone(), price: "2".into(), volume: None, days: 1 })
        .await?;
    note("3. seal the Wisconsin breast-cancer table and run the app on it");
    let receipt = folder.path().join("receipt.json");
    let code = Box::pin(run_task::run(&demo, &run_arguments(&example, &receipt))).await?;
    note("4. check the receipt offline");
    verify::run(&demo, &VerifyArgs { receipt, output: None })?;
    network.stop().await;
    note(&format!("done in {:.1} s", started.elapsed().as_secs_f64()));
    Ok(code)
}

fn run_arguments(example: &Path, receipt: &Path) -> RunArgs {
    RunArgs {
        volume: 1,
        app: EXAMPLE.into(),
        input: InputArgs { files: vec![example.join(DATA).display().to_string()], ..InputArgs::default() },
        out: None,
        receipt: Some(receipt.to_path_buf()),
        pool: None,
        max_price: None,
        timeout: 120,
        no_deposit: false,
        one_transaction: false,
    }
}

fn local_network(folder: &Path) -> UpArgs {
    UpArgs {
        data: Some(folder.join("local")),
        rpc: None,
        store: None,
        cas: None,
        port: 0,
        slots: 1,
        no_worker: false,
        block_time_ms: None,
    }
}

fn example(arguments: &DemoArgs) -> Result<PathBuf> {
    let folder = arguments.examples.clone().unwrap_or_else(|| PathBuf::from("examples")).join(EXAMPLE);
    if folder.join("sealwork.toml").is_file() {
        return Ok(folder);
    }
    Err(Failure::new(failure::FAILED, format!("there is no example at {}", folder.display()))
        .hint("run the demo in the repository, or name its examples folder with --examples DIR")
        .into())
}
