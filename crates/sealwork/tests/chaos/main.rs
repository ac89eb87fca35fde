//! Faults on real processes: chain, storage, CAS, worker and enclave each in a process of their own, tasks in flight, and
//! whatever the seed says is killed, stopped, cut off or slowed down. Afterwards every accepted task must be closed exactly once,
//! money must add up, receipts must hold, nothing may be in the clear, and every process must end.
//!
//! `cargo xtask chaos [--runs N] [--seed S]` runs it, two runs at a time; a run that fails says how to repeat it.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a program for tests: what is wrong ends the run with a message"
)]

mod checks;
mod faults;
mod stack;
#[expect(dead_code, reason = "the end-to-end tests use more of it")]
#[path = "../e2e/support"]
mod support {
    pub(crate) mod memory;
    pub(crate) mod network;
    pub(crate) mod process;
    pub(crate) mod proxy;
    pub(crate) mod rpc;

    use std::time::{Duration, Instant};

    /// Longest wait for anything that should happen by itself.
    pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

    /// Looks until `probe` finds something; panics with `what` after [`PATIENCE`].
    pub(crate) fn eventually<T>(what: &str, mut probe: impl FnMut() -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = probe() {
                return found;
            }
            assert!(Instant::now() < deadline, "waited {} s for this in vain: {what}", PATIENCE.as_secs());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}
mod template;
mod workload;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    process::ExitCode,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};
use template::Template;

/// Runs at the same time.
const AT_ONCE: usize = 2;
/// Tasks that a run accepts on average at least, out of 14; faults keep some requesters from asking.
const LEAST_TASKS: u64 = 5;

fn main() -> ExitCode {
    let number = |name: &str, fallback: u64| {
        let mut arguments = std::env::args().skip_while(|argument| argument != name).skip(1);
        arguments.next().map_or(fallback, |value| value.parse().expect("a number follows the option"))
    };
    let (runs, seed) = (number("--runs", 100), number("--seed", 1));
    let begun = Instant::now();
    let template = Template::make();
    println!("prepared in {:.1} s", begun.elapsed().as_secs_f32());
    let (next, failed, accepted) = (AtomicU64::new(0), Mutex::new(Vec::new()), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let run = next.fetch_add(1, Ordering::SeqCst);
                    if run >= runs {
                        return;
                    }
                    let seed = seed.wrapping_add(run);
                    match passes(&template, seed) {
                        Some(tasks) => drop(accepted.fetch_add(tasks.into(), Ordering::SeqCst)),
                        None => failed.lock().unwrap().push(seed),
                    }
                }
            });
        }
    });
    let (failed, accepted) = (failed.into_inner().unwrap(), accepted.into_inner());
    let (passed, seconds) = (runs - failed.len() as u64, begun.elapsed().as_secs_f32());
    println!("{passed} of {runs} runs passed in {seconds:.1} s, {accepted} tasks were accepted");
    for seed in &failed {
        println!("again: cargo xtask chaos --runs 1 --seed {seed}");
    }
    // Runs without tasks show nothing.
    let meant = accepted >= runs * LEAST_TASKS;
    if failed.is_empty() && meant { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// One run: how many tasks were accepted in it, if it passes. Whatever is wrong panics.
fn passes(template: &Template, seed: u64) -> Option<u32> {
    let begun = Instant::now();
    let outcome = catch_unwind(AssertUnwindSafe(|| run(template, seed)));
    let seconds = begun.elapsed().as_secs_f32();
    match &outcome {
        Ok((_, story)) => println!("seed {seed}: {story} ({seconds:.1} s)"),
        Err(_) => println!(
            "seed {seed}: FAILED after {seconds:.1} s; again: cargo xtask chaos --runs 1 --seed {seed}"
        ),
    }
    outcome.ok().map(|(tasks, _)| tasks)
}

fn run(template: &Template, seed: u64) -> (u32, String) {
    let mut stack = stack::Stack::start(template);
    let mut dice = faults::Dice::new(seed);
    let plan = faults::plan(&mut dice);
    let work = workload::begin(&stack);
    faults::carry_out(&plan, &mut stack);
    stack.heal();
    let succeeded = workload::wait(work);
    let (deals, tasks) = checks::everything_is_closed(&stack);
    stack.stop();
    checks::nothing_is_in_the_clear(&stack);
    let faults: Vec<String> = plan.iter().map(ToString::to_string).collect();
    let faults = faults.join(", ");
    (tasks, format!("{deals} deals with {tasks} tasks, {succeeded} of 4 commands succeeded; {faults}"))
}
