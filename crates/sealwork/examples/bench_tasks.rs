//! Runs a task again and again in one process: `bench_tasks NETWORK.json WORKER_URL APP FILE RUNS`; prints the times of
//! all runs and of their steps. `cargo xtask bench spine` runs it.
//!
//! Steps at the worker are stamped by the worker, in whole milliseconds, on the same machine's clock.
#![expect(clippy::print_stdout, reason = "a tool for developers")]

use alloy_signer_local::PrivateKeySigner;
use anyhow::{Context, Result, ensure};
use sealwork_cas::HttpKeyService;
use sealwork_chain::EvmChain;
use sealwork_client::{
    Client, InputFile, Outcome, Parts, Progress, RunInput, RunRequest, Salts, Settlement, SignedVouchers,
    Source,
};
use sealwork_devchain::DEV_PRIVATE_KEYS;
use sealwork_ports::{KeyService, ProgressSource, SystemClock};
use sealwork_seal::{Secret, sign::SigningKey};
use sealwork_store::{KuboOptions, KuboStore};
use sealwork_types::{AppId, Status, U256, network::NetworkDocument, progress::TaskStep};
use sealwork_worker::HttpWorker;
use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// The wallet `dev` of a local network.
const DEV: usize = 1;
/// Deposit before all runs, ten times, smallest token units.
const ACCOUNT: u64 = 10_000_000_000_000_000_000;

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [network, worker, app, file, runs] = <[String; 5]>::try_from(arguments)
        .map_err(|_| anyhow::anyhow!("usage: bench_tasks NETWORK.json WORKER_URL APP FILE RUNS"))?;
    let client = client(&fs::read(network)?).await?;
    for _ in 0..10 {
        client.deposit(U256::from(ACCOUNT)).await?;
    }
    let (app, file) = (app.parse()?, PathBuf::from(file));
    let first = run(&client, &worker, app, &file).await?;
    report("task::first", [since_start(&first, TaskStep::Verified)?]);
    let mut warm = Vec::new();
    for _ in 0..runs.parse()? {
        warm.push(run(&client, &worker, app, &file).await?);
    }
    let whole = warm.iter().map(|run| since_start(run, TaskStep::Verified)).collect::<Result<Vec<_>>>()?;
    report("task::warm", whole);
    for (name, from, to) in STEPS {
        let took = |run: &Timeline| -> Result<f64> {
            let start = from.map_or(Ok(0.0), |from| since_start(run, from))?;
            Ok(since_start(run, to)? - start)
        };
        report(&format!("step::{name}"), warm.iter().map(took).collect::<Result<Vec<_>>>()?);
    }
    Ok(())
}

/// Milliseconds since the run began at which each step was reached.
type Timeline = BTreeMap<TaskStep, f64>;

/// What lies between two steps.
const STEPS: [(&str, Option<TaskStep>, TaskStep); 8] = [
    ("1 look up, seal and upload", None, TaskStep::Uploaded),
    ("2 match on chain", Some(TaskStep::Uploaded), TaskStep::Matched),
    ("3 seen by the worker", Some(TaskStep::Matched), TaskStep::Assigned),
    ("4 enclave attested", Some(TaskStep::Assigned), TaskStep::Attested),
    ("5 fetch until the program runs", Some(TaskStep::Attested), TaskStep::Running),
    ("6 run, seal output, store, sign", Some(TaskStep::Running), TaskStep::Executed),
    ("7 settle on chain, seen by the client", Some(TaskStep::Executed), TaskStep::Settled),
    ("8 verify the receipt", Some(TaskStep::Settled), TaskStep::Verified),
];

async fn run(client: &Client, worker: &str, app: AppId, file: &std::path::Path) -> Result<Timeline> {
    let name = file.file_name().and_then(|name| name.to_str()).context("the file has no name")?;
    let request = RunRequest {
        volume: 1,
        app,
        input: RunInput {
            args: Vec::new(),
            files: vec![InputFile { name: name.to_owned(), source: Source::File(file.to_path_buf()) }],
            stdin: Source::Bytes(Vec::new()),
        },
        pool: None,
        max_price: None,
        valid_for_s: 3_600,
        timeout: Duration::from_secs(120),
        deposit: false,
        settlement: Settlement::Deal,
    };
    let mut timeline = Timeline::new();
    let began = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs_f64() * 1e3;
    let mut note = |progress: Progress| {
        timeline.insert(progress.step, progress.elapsed.as_secs_f64() * 1e3);
    };
    let started = Instant::now();
    let Outcome { status, task, .. } = Box::pin(client.run(request, &mut note)).await?;
    ensure!(status == Status::SUCCESS, "task {task} ended with {status} after {:?}", started.elapsed());
    for step in HttpWorker::default().progress(worker, task).await?.steps {
        if step.step < TaskStep::Settled {
            timeline.insert(step.step, Duration::from_millis(step.at_ms).as_secs_f64() * 1e3 - began);
        }
    }
    Ok(timeline)
}

fn since_start(run: &Timeline, step: TaskStep) -> Result<f64> {
    run.get(&step).copied().with_context(|| format!("step {step:?} was not reported"))
}

async fn client(network: &[u8]) -> Result<Client> {
    let network = NetworkDocument::parse(network)?;
    let signer = PrivateKeySigner::from_bytes(&DEV_PRIVATE_KEYS[DEV])?;
    let secret = Secret::from_slice(DEV_PRIVATE_KEYS[DEV].as_slice()).context("a key has 32 bytes")?;
    let member = |url: &str| -> Result<Arc<dyn KeyService>> { Ok(Arc::new(HttpKeyService::new(url)?)) };
    let chain = Arc::new(EvmChain::connect(&network, signer).await?);
    let parts = Parts {
        book: Arc::<EvmChain>::clone(&chain),
        chain,
        store: Arc::new(KuboStore::new(&network.store, KuboOptions::default())?),
        cas: network.cas.iter().map(|cas| member(&cas.url)).collect::<Result<_>>()?,
        progress: Arc::new(HttpWorker::default()),
        requests: Arc::new(HttpWorker::default()),
        clock: Arc::new(SystemClock),
        salts: Salts::in_memory(),
        vouchers: SignedVouchers::in_memory(),
    };
    Ok(Client::new(network, SigningKey::from_bytes(secret)?, parts))
}

fn report(name: &str, samples: impl IntoIterator<Item = f64>) {
    let samples: Vec<f64> = samples.into_iter().collect();
    println!(r#"{{"name":"{name}","unit":"ms","samples":{samples:?}}}"#);
}
