//! Measures a program: `measure MODULE.wasm [RUNS] [ARGUMENT...]` compiles it, runs it with empty input, and prints the
//! times. Under `strace`, the markers on standard error divide the phases.
#![expect(clippy::print_stdout, clippy::print_stderr, clippy::unwrap_used, reason = "a tool for developers")]

use sealwork_runtime::{BatchInput, Engine};
use sealwork_types::policy::Limits;
use std::{
    collections::BTreeMap,
    env, fs,
    time::{Duration, Instant},
};

fn main() {
    let mut args = env::args().skip(1);
    let bytes = fs::read(args.next().expect("usage: measure MODULE.wasm [RUNS] [ARGUMENT...]")).unwrap();
    let runs: u32 = args.next().map_or(100, |text| text.parse().unwrap());
    let args: Vec<String> = args.collect();
    let engine = Engine::new().unwrap();
    eprintln!("compiling");
    let started = Instant::now();
    let module = engine.compile(&bytes).unwrap();
    println!("compile {:?} for {} bytes", started.elapsed(), bytes.len());
    eprintln!("running");
    let mut best = Duration::MAX;
    let started = Instant::now();
    for run in 0..runs {
        let input = BatchInput {
            args: args.clone(),
            environment: BTreeMap::new(),
            files: Vec::new(),
            stdin: Box::new(std::io::empty()),
            random_seed: [0; 32],
            now_unix_s: 0,
            limits: Limits::default(),
        };
        let began = Instant::now();
        let output = engine.run(&module, input).unwrap();
        best = best.min(began.elapsed());
        if run == 0 {
            println!("first run {:?}: {output:?}", began.elapsed());
        }
    }
    println!("fresh run: mean {:?}, best {best:?} of {runs}", started.elapsed() / runs.max(1));
}
