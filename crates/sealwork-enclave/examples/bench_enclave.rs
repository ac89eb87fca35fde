//! Measures enclaves under the worker's host, attested by a CAS member in this process: `bench_enclave APP.wasm COHORT.wasm
//! TABLE.csv`; `cargo xtask bench enclave` builds the enclave program beside it and runs it.
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a tool for developers")]

#[path = "../tests/enclave/case.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod case;
#[path = "../tests/enclave/host.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod host;
#[path = "../tests/enclave/network.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod network;

use case::{APP, Case};
use network::{Network, binary, stream_of};
use sealwork_ports::{Clock, EnclaveHost, TaskInput, TaskOutcome, TaskUpdate};
use sealwork_simtee::measure_file;
use sealwork_types::{AppId, Status, enclave_wire::Step, policy::Policy};
use sealwork_worker::{CompiledFolder, EnclaveProcess};
use std::{
    fs,
    time::{Duration, Instant},
};

/// Enclaves that are started.
const STARTS: usize = 7;
/// Tasks of a batch, and half of them one by one.
const BATCH: u32 = 1_000;
const SINGLE: u32 = 200;
/// A program that does nothing, with the least memory that a program can have.
const EMPTY: &str = r#"(module (memory (export "memory") 1) (func (export "_start")))"#;

#[tokio::main(worker_threads = 2)]
async fn main() {
    let usage = "usage: bench_enclave APP.wasm COHORT.wasm TABLE.csv";
    let mut files = std::env::args().skip(1).map(|path| fs::read(path).unwrap());
    let mut next = || files.next().expect(usage);
    let (app, cohort, table) = (next(), next(), next());
    let network = Network::start().await;
    starts(&network, &app).await;
    for (name, module, stdin) in
        [("empty", wat::parse_str(EMPTY).unwrap(), Vec::new()), ("cohort", cohort, table)]
    {
        let mut case = publish(&network, module).await;
        case.stdin = stdin;
        throughput(&network, name, case).await;
    }
}

/// Enclaves from launch to grant, an app's first task in a new enclave, and in the enclave after it.
async fn starts(network: &Network, app: &[u8]) {
    let case = publish(network, app.to_vec()).await;
    let (mut start, mut compile, mut restore) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..STARTS {
        let folder = tempfile::tempdir().unwrap();
        for times in [&mut compile, &mut restore] {
            let kept = CompiledFolder::new(folder.path(), 64 << 20);
            let host = network.host().keeping_compiled(kept);
            let started = Instant::now();
            host.ensure(0).await.unwrap();
            start.push(started.elapsed());
            times.push(run(&host, &case).await.program);
            host.stop(0).await;
        }
    }
    report("start::ready and attested", "ms", start, 1e3);
    report("program::compiled/module=hash-tree", "ms", compile, 1e3);
    report("program::restored/module=hash-tree", "ms", restore, 1e3);
}

/// Tasks one by one and in a batch, by the CPU time of the enclave, so that other programs on the machine matter less.
async fn throughput(network: &Network, name: &str, mut case: Case) {
    case.order = Box::new(|order| order.volume = BATCH);
    // What an enclave takes to start, to compile, and for its first task.
    let first = cpu_of(network, &case, 0).await;
    let alone = cpu_of(network, &case, SINGLE).await - first;
    case.frame = Box::new(|frame| (frame.count, frame.budget_ms) = (BATCH, 3_600_000));
    let batch = cpu_of(network, &case, 1).await - first;
    for (way, tasks, seconds) in [("alone", SINGLE, alone), ("batch", BATCH, batch)] {
        let rate = f64::from(tasks) / seconds;
        println!(r#"{{"name":"task::{way}/module={name}","unit":"tasks/CPU s","samples":[{rate}]}}"#);
    }
}

/// CPU seconds of an enclave that runs one task, and then the case so often.
async fn cpu_of(network: &Network, case: &Case, runs: u32) -> f64 {
    let host = network.host();
    let before = cpu_of_children();
    let mut single = publish(network, case.module.clone()).await;
    single.stdin.clone_from(&case.stdin);
    run(&host, &single).await;
    for _ in 0..runs {
        let ran = run(&host, case).await;
        assert!([1, BATCH].contains(&ran.tasks), "a batch was cut short");
    }
    host.stop(0).await;
    cpu_of_children() - before
}

/// User and system time of children that have ended, seconds; the kernel counts hundredths.
fn cpu_of_children() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks = |field: usize| fields.get(field).unwrap().parse::<f64>().unwrap();
    (ticks(13) + ticks(14)) / 100.0
}

/// A case that this machine's enclaves may run.
async fn publish(network: &Network, module: Vec<u8>) -> Case {
    let mut case = Case::new(module);
    (case.host_now, case.signed_at) = (network.clock.unix_s(), network.clock.unix_s());
    case.measurement = measure_file(&binary()).unwrap();
    case.limits.memory_bytes = 256 << 20;
    let policy = Policy::hash_of(&case.policy().to_bytes());
    case.sealed_to = network.register(AppId::new(APP), policy).await;
    case
}

struct Ran {
    tasks: u32,
    /// From the key until the program runs: its code and the input's head.
    program: Duration,
}

async fn run(host: &EnclaveProcess, case: &Case) -> Ran {
    let prepared = case.prepare();
    let input = TaskInput {
        frame: prepared.frame,
        module: stream_of(vec![Ok(prepared.module)]),
        sealed_input: stream_of(vec![Ok(prepared.sealed)]),
    };
    let mut task = host.run(0, input).await.unwrap();
    let (mut key, mut program) = (Instant::now(), Duration::ZERO);
    while let Some(update) = task.next().await {
        match update.unwrap() {
            TaskUpdate::Step(Step::KeyReleased) => key = Instant::now(),
            TaskUpdate::Step(Step::Running) => program = key.elapsed(),
            TaskUpdate::Step(Step::Sealing) | TaskUpdate::Output(_) => {}
            TaskUpdate::Ended(TaskOutcome::Done { receipt, .. }) => {
                assert_eq!(Status::new(receipt.status), Status::SUCCESS);
                return Ran { tasks: 1, program };
            }
            TaskUpdate::Ended(TaskOutcome::Batch(done)) => {
                return Ran { tasks: done.statement.tally.paid, program };
            }
            TaskUpdate::Ended(TaskOutcome::Refused { reason, .. }) => panic!("refused: {reason}"),
        }
    }
    panic!("the task ended without an outcome");
}

fn report(name: &str, unit: &str, mut times: Vec<Duration>, scale: f64) {
    times.sort();
    let median = times.get(times.len() / 2).unwrap().as_secs_f64() * scale;
    println!(r#"{{"name":"{name}","unit":"{unit}","samples":[{median}]}}"#);
}
