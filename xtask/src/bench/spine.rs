//! One task after the other through the real programs.

use super::{
    figure::{Bar, Figure},
    network::Network,
    program::{self, Measured},
};
use anyhow::Result;
use std::path::Path;

/// Measured runs, after one that warms up.
const RUNS: &str = "20";
/// Bags of each size.
const BAG_ROUNDS: &str = "3";
/// Tasks of the bags that are queued at once.
const BAGS: [&str; 5] = ["1", "10", "100", "1000", "10000"];
/// The bag that one worker has to get through at the bar's pace.
const FULL_BAG: &str = "10000";

pub(crate) fn measure(root: &Path) -> Result<Vec<Figure>> {
    let sealwork = program::build_sealwork(root)?;
    let tasks = program::build(root, "sealwork", "bench_tasks")?;
    let network = Network::on_devchain(&sealwork)?;
    let app = network.publish(root, "cohort")?;
    let data = root.join("examples/cohort/data/breast-cancer.csv").display().to_string();
    let mut measured = Measured::default();
    measured.extend(program::run(&tasks, &[&network.document(), network.worker(), &app, &data, RUNS])?);
    let whole = measured.get("task::warm")?;
    let mut figures = vec![
        Figure::at(whole, 50.0).named("task::warm submit to verified p50").bar(Bar::AtMost(150.0)),
        Figure::at(whole, 95.0).named("task::warm submit to verified p95"),
        Figure::at(whole, 99.0).named("task::warm submit to verified p99").bar(Bar::AtMost(400.0)),
    ];
    let steps = measured.all().iter().filter(|samples| samples.name.starts_with("step::"));
    figures.extend(steps.map(Figure::median));
    figures.push(Figure::median(measured.get("task::first")?));
    let bags = program::build(root, "sealwork", "bench_bags")?;
    let app = network.publish(root, "hash-tree")?;
    let mut arguments = vec![network.document(), network.worker().to_owned(), app, BAG_ROUNDS.to_owned()];
    arguments.extend(BAGS.map(str::to_owned));
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    measured.extend(program::run(&bags, &arguments)?);
    for tasks in BAGS {
        let figure = Figure::median(measured.get(&format!("bag::of/tasks={tasks}"))?);
        figures.push(if tasks == FULL_BAG { figure.bar(Bar::AtLeast(500.0)) } else { figure });
    }
    figures.push(Figure::exact("peak memory of `sealwork up`", "MiB", network.peak_memory()?));
    Ok(figures)
}
