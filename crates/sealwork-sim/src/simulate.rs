//! One run: everything begins, things go wrong for a while, then nothing does, and in the end everything must be right.

use crate::{
    chain::SimChain,
    check,
    clock::SimClock,
    disk::Disk,
    faults::Faults,
    network::Server,
    process::Life,
    requester::{Requester, Wish},
    services::{CasProcess, Surroundings, WorkerProcess},
    store::SimStore,
    trace::Trace,
    world::{ROGUE_MEASUREMENT, World},
};
use anyhow::{Context, Result};
use sealwork_devchain::Clock as ChainClock;
use sealwork_ports::{Clock, EnclaveHost};
use sealwork_types::B256;
use std::{
    collections::BTreeSet,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    runtime::{Builder, Handle},
    sync::watch,
    task::JoinSet,
};

/// How long things go wrong.
const TROUBLE: Duration = Duration::from_secs(600);
/// How long tasks may take when nothing goes wrong any more.
const RECOVERY: Duration = Duration::from_secs(900);
/// Tasks of the runtime that may be alive: what waits is bounded.
const MOST_ALIVE: usize = 400;

/// Runs of this program so far.
static RUNS: AtomicU64 = AtomicU64::new(0x1000_0000);

/// What is run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Decides everything.
    pub seed: u64,
    /// Whether the lines of the story are kept.
    pub keep_lines: bool,
    /// Where the worker dies, instead of where the seed says; then nothing else goes wrong.
    pub dies_at: Option<u64>,
}

/// What came of a run.
#[derive(Clone, Debug)]
pub struct Report {
    /// The seed.
    pub seed: u64,
    /// Digest of the story.
    pub digest: B256,
    /// Things that happened.
    pub events: u64,
    /// What must not have happened and did.
    pub violations: Vec<String>,
    /// The lines of the story, if they were kept.
    pub lines: Vec<String>,
    /// How the tasks ended.
    pub tally: check::Tally,
    /// Points at which the worker could have died.
    pub points: u64,
}

impl Report {
    /// Whether everything was right.
    pub fn is_right(&self) -> bool {
        self.violations.is_empty()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (digest, tally) = (&self.digest.to_string()[..10], &self.tally);
        write!(f, "seed {:<6} {digest}  {:>5} events  {tally}", self.seed, self.events)
    }
}

/// Runs a seed to its end.
///
/// # Panics
/// When no runtime can be made.
pub fn simulate(world: &Arc<World>, options: Options) -> Report {
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
    let runtime = runtime.expect("a runtime of one thread");
    let report = runtime.block_on(async {
        let trace = Trace::begin(options.keep_lines);
        let mut story = Story::default();
        if let Err(error) = tell(world, options, &trace, &mut story).await {
            trace.violation(format_args!("the simulation itself failed: {error:#}"));
        }
        let (digest, events) = trace.digest();
        Report {
            seed: options.seed,
            digest,
            events,
            violations: trace.violations(),
            lines: trace.lines(),
            tally: story.tally,
            points: story.points,
        }
    });
    runtime.shutdown_background();
    report
}

#[derive(Default)]
struct Story {
    tally: check::Tally,
    points: u64,
}

/// Everything that lives in a run.
struct Cast {
    around: Surroundings,
    workers: Vec<WorkerProcess>,
    lives: Vec<Life>,
    _folder: tempfile::TempDir,
}

async fn tell(world: &Arc<World>, options: Options, trace: &Trace, story: &mut Story) -> Result<()> {
    let faults = match options.dies_at {
        Some(_) => Faults::none(options.seed),
        None => Faults::of(options.seed),
    };
    trace.note(format_args!("{:?}", faults.rates));
    let cast = Cast::gather(world, options, &faults, trace).await?;
    let mut crowd = JoinSet::new();
    let period = faults.pause(1_000..=12_000);
    let mining = cast.around.chain.clone();
    crowd.spawn(async move { mining.run(period).await });
    let (stop, stopping) = watch::channel(false);
    let mut workers = JoinSet::new();
    for worker in &cast.workers {
        workers.spawn(worker.clone().run(stopping.clone()));
    }
    crowd.spawn(wander(cast.workers.clone(), faults.clone()));
    crowd.spawn(intrude(cast.around.clone(), cast.lives.clone(), faults.clone()));
    crowd.spawn(count_tasks(trace.clone()));
    let wishes = cast.wish(&mut crowd).await;
    tokio::time::sleep(TROUBLE).await;
    trace.note("nothing goes wrong any more");
    faults.heal();
    cast.lives.iter().for_each(Life::heal);
    cast.workers.iter().for_each(|worker| worker.clock.set_skew(0));
    cast.around.chain.pass_everything_on().await?;
    let calm = tokio::time::timeout(RECOVERY, check::until_calm(&cast.around, &cast.workers)).await;
    if calm.is_err() {
        trace.violation(format_args!(
            "{RECOVERY:?} later tasks are still open: {}",
            check::open(&cast.workers)
        ));
    }
    let _ = tokio::time::timeout(RECOVERY, wishes.wait_for_all()).await;
    stop.send_replace(true);
    if tokio::time::timeout(RECOVERY, async { while workers.join_next().await.is_some() {} }).await.is_err() {
        trace.violation("a worker does not stop");
    }
    story.points = cast.workers.first().map_or(0, |worker| worker.life.passed());
    story.tally = check::verdict(&cast.around, &cast.workers, trace).await.context("look at the end")?;
    crowd.shutdown().await;
    Ok(())
}

impl Cast {
    async fn gather(world: &Arc<World>, options: Options, faults: &Faults, trace: &Trace) -> Result<Self> {
        let clock = SimClock::begin();
        let chain_clock = clock.clone();
        let local = world.chain.fork(ChainClock::new(move || chain_clock.unix_s()))?;
        let chain = SimChain::new(local, faults.clone(), trace.clone()).await?;
        let nobody = Life::new("nobody", BTreeSet::new(), trace.clone());
        let store = SimStore::new(world.contents.clone(), nobody.clone(), faults.clone(), trace.clone());
        let around = Surroundings {
            world: Arc::clone(world),
            chain,
            store,
            cas: Server::down(),
            faults: faults.clone(),
            trace: trace.clone(),
            run: RUNS.fetch_add(1, Ordering::Relaxed),
        };
        let deaths = |most: u64| -> BTreeSet<u64> {
            (0..faults.between(0..=most)).map(|_| faults.between(0..=1_500)).collect()
        };
        let healthy = options.dies_at.is_some();
        let count = if !healthy && faults.between(0..=3) == 0 { 2 } else { 1 };
        let workers: Vec<_> = (0..count)
            .map(|_| {
                let deaths = options.dies_at.map_or_else(|| deaths(3), |point| BTreeSet::from([point]));
                WorkerProcess {
                    around: around.clone(),
                    life: Life::new("the worker", deaths, trace.clone()),
                    clock: clock.another(),
                    disk: Disk::new(faults.clone(), trace.clone()),
                    server: Server::down(),
                }
            })
            .collect();
        let cas_deaths = if healthy { BTreeSet::new() } else { deaths(1) };
        let cas = Life::new("the CAS", cas_deaths, trace.clone());
        let folder = tempfile::tempdir()?;
        let process = CasProcess {
            around: around.clone(),
            life: cas.clone(),
            clock: clock.another(),
            folder: folder.path().join("cas"),
        };
        tokio::spawn(process.run());
        let lives = workers.iter().map(|worker| worker.life.clone()).chain([cas, nobody]).collect();
        Ok(Self { around, workers, lives, _folder: folder })
    }

    /// Lets the requester make some wishes, each at a time of its own.
    async fn wish(&self, crowd: &mut JoinSet<()>) -> Wishes {
        let faults = self.around.faults.clone();
        let life = self.lives.last().cloned().expect("the requester's");
        let server = self.workers.first().map_or_else(Server::down, |worker| worker.server.clone());
        let requester = Arc::new(Requester::connect(&self.around, &life, &SimClock::begin(), &server).await);
        let count = faults.between(1..=5);
        let (granted, waiting) = watch::channel(0);
        for number in 0..count {
            let wish = match faults.between(0..=3) {
                0 => Wish::OneTransaction,
                1 => Wish::Bag(u32::try_from(faults.between(2..=40)).unwrap_or(2)),
                _ => Wish::Single,
            };
            let (requester, granted) = (Arc::clone(&requester), granted.clone());
            let pause = faults.pause(0..=120_000);
            crowd.spawn(async move {
                tokio::time::sleep(pause).await;
                requester.wish(number, wish).await;
                granted.send_modify(|count| *count += 1);
            });
        }
        Wishes { count, waiting }
    }
}

/// Wishes that are made.
struct Wishes {
    count: u64,
    waiting: watch::Receiver<u64>,
}

impl Wishes {
    async fn wait_for_all(mut self) {
        let _ = self.waiting.wait_for(|granted| *granted == self.count).await;
    }
}

/// Clocks of workers go wrong.
async fn wander(workers: Vec<WorkerProcess>, faults: Faults) {
    loop {
        tokio::time::sleep(faults.pause(30_000..=300_000)).await;
        for worker in &workers {
            if faults.roll(100) {
                let skew = i64::try_from(faults.between(0..=240)).unwrap_or(0) - 120;
                worker.around.trace.note(format_args!("a clock is wrong by {skew} s"));
                worker.clock.set_skew(skew);
            }
        }
    }
}

/// Somebody else's enclave asks for keys.
async fn intrude(around: Surroundings, lives: Vec<Life>, faults: Faults) {
    if faults.between(0..=7) != 0 {
        return;
    }
    let life = lives.last().cloned().expect("the requester's");
    tokio::time::sleep(faults.pause(0..=60_000)).await;
    let enclaves = around.enclaves(ROGUE_MEASUREMENT, &SimClock::begin(), &life);
    match enclaves.ensure(0).await {
        Ok(_) => around.trace.violation("the CAS granted a key to an enclave that no policy accepts"),
        Err(_) => around.trace.note("an intruder is denied"),
    }
}

/// What waits somewhere must not become more and more.
async fn count_tasks(trace: Trace) {
    loop {
        tokio::time::sleep(Duration::from_secs(10)).await;
        let alive = Handle::current().metrics().num_alive_tasks();
        if alive > MOST_ALIVE {
            trace.violation(format_args!("{alive} tasks of the runtime are alive"));
        }
    }
}
