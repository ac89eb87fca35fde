//! What goes wrong, decided by the seed: every roll is made in the order in which things happen, so one seed always tells
//! the same story.

use rand::{Rng, SeedableRng, rngs::StdRng};
use std::{
    fmt,
    ops::RangeInclusive,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// How likely each kind of fault is in one run, in thousandths. A run has some kinds often and others never, so that they
/// are seen alone and together.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rates {
    /// A JSON-RPC request is lost before it arrives.
    pub rpc_lost: u32,
    /// Its answer is lost.
    pub rpc_answer_lost: u32,
    /// It arrives twice.
    pub rpc_twice: u32,
    /// It is answered late, or never.
    pub rpc_stalls: u32,
    /// An endpoint is behind the chain.
    pub rpc_lags: u32,
    /// An endpoint leaves out logs.
    pub rpc_omits_logs: u32,
    /// An endpoint has forgotten a receipt.
    pub rpc_forgets: u32,
    /// A transaction is taken and never passed on.
    pub tx_swallowed: u32,
    /// A block is followed by a reorganization.
    pub reorg: u32,
    /// Storage cannot be reached.
    pub store_away: u32,
    /// Storage gives other bytes than it should.
    pub store_corrupts: u32,
    /// Storage is full.
    pub store_full: u32,
    /// A connection to the CAS cannot be made, or breaks.
    pub cas_away: u32,
    /// A message between client and worker is lost, its answer is lost, or it comes twice.
    pub http_lost: u32,
    /// An enclave dies.
    pub enclave_dies: u32,
    /// An enclave is slow.
    pub enclave_slow: u32,
    /// A write to the worker's disk fails.
    pub disk_full: u32,
}

impl Rates {
    /// Rates of a run. A quarter of the kinds happen.
    fn draw(rng: &mut StdRng) -> Self {
        let mut rate = |most: u32| if rng.gen_ratio(1, 4) { rng.gen_range(1..=most) } else { 0 };
        Self {
            rpc_lost: rate(150),
            rpc_answer_lost: rate(150),
            rpc_twice: rate(200),
            rpc_stalls: rate(40),
            rpc_lags: rate(300),
            rpc_omits_logs: rate(200),
            rpc_forgets: rate(300),
            tx_swallowed: rate(300),
            reorg: rate(150),
            store_away: rate(200),
            store_corrupts: rate(150),
            store_full: rate(150),
            cas_away: rate(300),
            http_lost: rate(300),
            enclave_dies: rate(30),
            enclave_slow: rate(50),
            disk_full: rate(10),
        }
    }
}

/// The faults of one run.
#[derive(Clone)]
pub struct Faults {
    /// How likely each kind is.
    pub rates: Rates,
    rng: Arc<Mutex<StdRng>>,
    active: Arc<AtomicBool>,
}

impl Faults {
    /// The faults of a seed.
    pub fn of(seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let rates = Rates::draw(&mut rng);
        Self::with(rates, rng)
    }

    /// No faults, but the chances of a seed.
    pub fn none(seed: u64) -> Self {
        Self::with(Rates::default(), StdRng::seed_from_u64(seed))
    }

    fn with(rates: Rates, rng: StdRng) -> Self {
        Self { rates, rng: Arc::new(Mutex::new(rng)), active: Arc::new(AtomicBool::new(true)) }
    }

    /// From now on nothing goes wrong.
    pub fn heal(&self) {
        self.active.store(false, Ordering::Relaxed);
    }

    /// Whether things may go wrong.
    pub fn is_active(&self) -> bool {
        self.active.load(Ordering::Relaxed)
    }

    /// Whether something that happens so many times in a thousand happens now.
    pub fn roll(&self, thousandths: u32) -> bool {
        thousandths > 0 && self.is_active() && self.lock().gen_range(0..1_000) < thousandths
    }

    /// A number of the seed's.
    pub fn between(&self, range: RangeInclusive<u64>) -> u64 {
        self.lock().gen_range(range)
    }

    /// A time of the seed's, in milliseconds.
    pub fn pause(&self, range: RangeInclusive<u64>) -> Duration {
        Duration::from_millis(self.between(range))
    }

    fn lock(&self) -> MutexGuard<'_, StdRng> {
        self.rng.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Faults").field("rates", &self.rates).finish_non_exhaustive()
    }
}
