//! Runs a task again and again in one process: `bench_tasks NETWORK.json WORKER_URL APP FILE RUNS`; prints the times of
//! all runs and of their steps. `cargo xtask bench spine` runs it.
//!
//! Steps at the worker are stamped by the worker, in whole milliseconds, on the same machine's clock.

#[path = "support/live.rs"]
mod support;

use anyhow::{Context, Result, ensure};
use sealwork_client::{Client, InputFile, Outcome, Progress, RunInput, RunRequest, Settlement, Source};
use sealwork_ports::ProgressSource;
use sealwork_types::{AppId, Status, progress::TaskStep};
use sealwork_worker::HttpWorker;
use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use support::{client, report};

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [network, worker, app, file, runs] = <[String; 5]>::try_from(arguments)
        .map_err(|_| anyhow::anyhow!("usage: bench_tasks NETWORK.json WORKER_URL APP FILE RUNS"))?;
    let client = client(&fs::read(network)?).await?;
    let (app, file) = (app.parse()?, PathBuf::from(file));
    let first = run(&client, &worker, app, &file).await?;
    report("task::first", "ms", [since_start(&first, TaskStep::Verified)?]);
    let mut warm = Vec::new();
    for _ in 0..runs.parse()? {
        warm.push(run(&client, &worker, app, &file).await?);
    }
    let whole = warm.iter().map(|run| since_start(run, TaskStep::Verified)).collect::<Result<Vec<_>>>()?;
    report("task::warm", "ms", whole);
    for (name, from, to) in STEPS {
        let took = |run: &Timeline| -> Result<f64> {
            let start = from.map_or(Ok(0.0), |from| since_start(run, from))?;
            Ok(since_start(run, to)? - start)
        };
        report(&format!("step::{name}"), "ms", warm.iter().map(took).collect::<Result<Vec<_>>>()?);
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
