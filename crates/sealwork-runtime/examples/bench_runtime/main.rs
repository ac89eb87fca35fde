//! Measures the runtime: `bench_runtime COHORT.wasm HASH_TREE.wasm`; `cargo xtask bench runtime` runs it.
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a tool for developers")]

mod kernels;

use rustix::time::{ClockId, clock_gettime};
use sealwork_runtime::{BatchInput, Engine, Exit, Module};
use sealwork_types::policy::Limits;
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeMap,
    fs,
    hint::black_box,
    time::{Duration, Instant},
};

/// A program that does nothing, with the least memory that a program can have.
const EMPTY: &str = r#"(module (memory (export "memory") 1) (func (export "_start")))"#;
/// Runs of the empty program; their median is reported.
const RUNS: usize = 1_001;
/// A kept program is restored so often.
const RESTORES: usize = 101;
const STREAM_BYTES: u32 = 64 << 20;
/// Leaves of the example `hash-tree`.
const LEAF_BYTES: usize = 1 << 20;

fn main() {
    let usage = "usage: bench_runtime COHORT.wasm HASH_TREE.wasm";
    let mut modules = std::env::args().skip(1).map(|path| fs::read(path).unwrap());
    let (cohort, hash_tree) = (modules.next().expect(usage), modules.next().expect(usage));
    let engine = Engine::new().unwrap();

    for (name, module) in [("cohort", &cohort), ("hash-tree", &hash_tree)] {
        let took = timed(|| drop(black_box(engine.compile(module).unwrap())));
        report(&format!("compile/module={name}"), "ms", took.as_secs_f64() * 1e3);
    }

    let empty = engine.compile(&wat::parse_str(EMPTY).unwrap()).unwrap();
    let mut times: Vec<_> = (0..RUNS).map(|_| run(&engine, &empty, &[])).collect();
    times.sort();
    report("run::fresh/module=empty", "us", times.get(RUNS / 2).unwrap().as_secs_f64() * 1e6);

    restored(&engine, &hash_tree);
    kernels::compare(&engine);

    let content: Vec<u8> = (0..STREAM_BYTES).map(|index| index.to_le_bytes()[1]).collect();
    let program = engine.compile(&hash_tree).unwrap();
    let took = run(&engine, &program, &content);
    report("hash-tree::wasm/bytes=64MiB", "MB/s", megabytes_per_second(took));
    let took = native(&content);
    report("hash-tree::native/bytes=64MiB", "MB/s", megabytes_per_second(took));
}

/// Keeps a compiled program and restores it, as a fresh enclave does.
fn restored(engine: &Engine, bytes: &[u8]) {
    let key = |digest: &sealwork_types::B256| digest.0;
    let kept = engine.keep(&engine.compile(bytes).unwrap(), &key).unwrap();
    let mut times: Vec<_> =
        (0..RESTORES).map(|_| timed(|| drop(engine.restore(&kept, &key).unwrap()))).collect();
    times.sort();
    report("restore/module=hash-tree", "ms", times.get(RESTORES / 2).unwrap().as_secs_f64() * 1e3);
    report("restore/module=hash-tree size", "kB", kept.len() as f64 / 1e3);
}

/// Time of this thread, so that other programs on the machine matter less.
fn timed(work: impl FnOnce()) -> Duration {
    let now = || Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap();
    let started = now();
    work();
    now() - started
}

fn run(engine: &Engine, module: &Module, stdin: &[u8]) -> Duration {
    let input = BatchInput {
        args: Vec::new(),
        environment: BTreeMap::new(),
        files: Vec::new(),
        stdin: Box::new(stdin),
        random_seed: [0; 32],
        now_unix_s: 0,
        limits: Limits::default(),
    };
    let started = Instant::now();
    let output = engine.run(module, input).unwrap();
    let took = started.elapsed();
    assert!(matches!(output.exit, Exit::Code(0)), "{output:?}");
    took
}

/// What `hash-tree` hashes: everything once, and each leaf behind a zero byte.
fn native(content: &[u8]) -> Duration {
    let started = Instant::now();
    black_box(Sha256::digest(content));
    for leaf in content.chunks(LEAF_BYTES) {
        black_box(Sha256::new().chain_update([0]).chain_update(leaf).finalize());
    }
    started.elapsed()
}

fn megabytes_per_second(took: Duration) -> f64 {
    f64::from(STREAM_BYTES) / 1e6 / took.as_secs_f64()
}

fn report(name: &str, unit: &str, value: f64) {
    println!(r#"{{"name":"{name}","unit":"{unit}","samples":[{value}]}}"#);
}
