//! Compiling and running WebAssembly.

use super::{
    figure::{Bar, Figure},
    program::{self, Measured},
};
use anyhow::Result;
use std::path::Path;

const ROUNDS: usize = 5;

pub(crate) fn measure(root: &Path) -> Result<Vec<Figure>> {
    let program = program::build(root, "sealwork-runtime", "bench_runtime")?;
    let module = |name: &str| root.join(format!("examples/{name}/{name}.wasm")).display().to_string();
    let mut measured = Measured::default();
    for _ in 0..ROUNDS {
        measured.extend(program::run(&program, &[&module("cohort"), &module("hash-tree")])?);
    }
    let native = measured.get("hash-tree::native/bytes=64MiB")?;
    let mut figures = vec![
        Figure::median(measured.get("compile/module=cohort")?),
        Figure::median(measured.get("compile/module=hash-tree")?).bar(Bar::AtMost(100.0)),
        Figure::median(measured.get("restore/module=hash-tree")?).bar(Bar::AtMost(1.0)),
        Figure::median(measured.get("restore/module=hash-tree size")?),
        Figure::median(measured.get("run::fresh/module=empty")?).bar(Bar::AtMost(50.0)),
        Figure::median(measured.get("hash-tree::wasm/bytes=64MiB")?).beside(native),
        Figure::median(native),
    ];
    for kernel in ["hash", "matrix", "sort"] {
        let way = |way: &str| measured.get(&format!("kernel::{way}/{kernel}"));
        let (runtime, engine) = (Figure::median(way("runtime")?), way("wasmtime")?);
        figures.push(runtime.clone().beside(engine).bar(Bar::RatioAtMost(1.05)));
        figures
            .push(runtime.beside(way("native")?).named(&format!("kernel::runtime/{kernel}, beside native")));
    }
    Ok(figures)
}
