//! `cargo run -p sealwork-sim -- --seeds 0..2000`: runs seeds, and says how to run again what was not right.

use anyhow::{Context, Result, bail};
use clap::Parser;
use sealwork_sim::{Options, Report, World, simulate};
use std::{
    io::{self, Write},
    ops::Range,
    process::ExitCode,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

/// Runs the whole network in one thread, as seeds say.
#[derive(Debug, Parser)]
struct Arguments {
    /// Seeds to run, such as 0..2000, or one seed
    #[arg(long, default_value = "0..100", value_name = "FROM..TO")]
    seeds: String,
    /// Print the story of each run
    #[arg(long)]
    trace: bool,
    /// Kill the worker at this point and let nothing else go wrong
    #[arg(long, value_name = "POINT")]
    dies_at: Option<u64>,
    /// Kill the worker at every point of the first seed's story, one after the other
    #[arg(long)]
    every_point: bool,
    /// Run every seed twice and compare the stories
    #[arg(long)]
    twice: bool,
    /// Stop at the first run that is not right
    #[arg(long)]
    until_wrong: bool,
    /// Runs at the same time
    #[arg(long, default_value_t = 2, value_name = "N")]
    jobs: usize,
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    if arguments.trace {
        let filter = tracing_subscriber::EnvFilter::try_from_env("SEALWORK_LOG").unwrap_or_default();
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).without_time().init();
    }
    let seeds = seeds(&arguments.seeds)?;
    let world = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
    let world = Arc::new(world.block_on(World::make()).context("make the world")?);
    let runs: Vec<Options> = if arguments.every_point {
        let first = Options { seed: seeds.start, keep_lines: false, dies_at: Some(u64::MAX) };
        let points = simulate(&world, first).points;
        (0..points).map(|point| Options { dies_at: Some(point), ..first }).collect()
    } else {
        let option = |seed| Options { seed, keep_lines: arguments.trace, dies_at: arguments.dies_at };
        seeds.map(option).collect()
    };
    let failures = run_all(&world, &runs, &arguments);
    say(&format!("{} passed, {} failed", runs.len() as u64 - failures, failures));
    Ok(if failures == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn seeds(text: &str) -> Result<Range<u64>> {
    let number = |text: &str| text.trim().parse::<u64>().with_context(|| format!("{text:?} is no seed"));
    match text.split_once("..") {
        Some((from, to)) => {
            let range = number(from)?..number(to)?;
            if range.is_empty() {
                bail!("{text} has no seeds");
            }
            Ok(range)
        }
        None => {
            let seed = number(text)?;
            Ok(seed..seed.saturating_add(1))
        }
    }
}

/// Runs everything, some at a time; how many were not right.
fn run_all(world: &Arc<World>, runs: &[Options], arguments: &Arguments) -> u64 {
    let (next, failures) = (AtomicU64::new(0), AtomicU64::new(0));
    let output = Mutex::new(());
    std::thread::scope(|scope| {
        for _ in 0..arguments.jobs.max(1) {
            scope.spawn(|| {
                while let Some(options) =
                    usize::try_from(next.fetch_add(1, Ordering::Relaxed)).ok().and_then(|n| runs.get(n))
                {
                    let report = run(world, *options, arguments.twice);
                    let _one_at_a_time = output.lock().unwrap_or_else(PoisonError::into_inner);
                    if !report.is_right() {
                        failures.fetch_add(1, Ordering::Relaxed);
                        if arguments.until_wrong {
                            next.store(runs.len() as u64, Ordering::Relaxed);
                        }
                    }
                    tell(&report, *options, arguments.trace);
                }
            });
        }
    });
    failures.into_inner()
}

fn run(world: &Arc<World>, options: Options, twice: bool) -> Report {
    let mut report = simulate(world, options);
    if twice {
        let again = simulate(world, options);
        if again.digest != report.digest {
            report.violations.push(format!("the same seed told another story: {again}"));
        }
    }
    report
}

fn tell(report: &Report, options: Options, trace: bool) {
    if trace {
        report.lines.iter().for_each(|line| say(line));
    }
    let point = options.dies_at.map_or_else(String::new, |point| format!(" --dies-at {point}"));
    if report.is_right() {
        if trace {
            say(&report.to_string());
        }
        return;
    }
    say(&report.to_string());
    report.violations.iter().for_each(|violation| say(&format!("  {violation}")));
    say(&format!("  again with: cargo xtask sim --seeds {}{point} --trace", report.seed));
}

fn say(line: &str) {
    // Nobody reads any more.
    let _ = writeln!(io::stdout(), "{line}");
}
