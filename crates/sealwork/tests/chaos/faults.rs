//! What goes wrong, and when.

use crate::stack::{Service, Stack, has_fake_time};
use std::{
    fmt,
    time::{Duration, Instant},
};

/// Random numbers that a seed determines (splitmix64).
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `bound`.
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }

    fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[usize::try_from(self.below(choices.len() as u64)).unwrap()]
    }
}

/// One fault.
#[derive(Clone, Copy, Debug)]
enum Kind {
    /// SIGKILL, and started again when the fault is over.
    Kill(Service),
    /// SIGKILL of every enclave.
    KillEnclaves,
    /// SIGSTOP, and SIGCONT when the fault is over.
    Stop(Service),
    /// The worker's connections to a service end, and no new ones are taken until the fault is over.
    Cut(usize),
    /// No file of a service can grow, as if its disk were full, until the fault is over.
    Full(Service),
    /// The worker is killed and started with a clock that is ahead by so many seconds, or behind; put right in the end.
    Skew(i64),
    /// Everything between the worker and a service comes late until the fault is over.
    Slow(usize),
}

/// A fault with its time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fault {
    kind: Kind,
    at: Duration,
    lasts: Duration,
}

const LINKS: [&str; 4] = ["chain", "store", "CAS", "TLS"];

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            Kind::Kill(service) => write!(f, "kill {service}")?,
            Kind::KillEnclaves => write!(f, "kill enclaves")?,
            Kind::Stop(service) => write!(f, "stop {service}")?,
            Kind::Cut(link) => write!(f, "cut {}", LINKS[link])?,
            Kind::Full(service) => write!(f, "fill disk of {service}")?,
            Kind::Skew(seconds) => write!(f, "skew worker by {seconds} s")?,
            Kind::Slow(link) => write!(f, "slow {}", LINKS[link])?,
        }
        write!(f, " at {} for {} ms", self.at.as_millis(), self.lasts.as_millis())
    }
}

/// One to three faults, in order.
pub(crate) fn plan(dice: &mut Dice) -> Vec<Fault> {
    let services = [Service::Chain, Service::Store, Service::Cas, Service::Worker, Service::Worker];
    let mut plan: Vec<Fault> = (0..=dice.below(3))
        .map(|_| {
            let link = usize::try_from(dice.below(LINKS.len() as u64)).unwrap();
            let skew = dice.below(241).cast_signed() - 120;
            let kind = match dice.below(12) {
                0..=2 => Kind::Kill(dice.one_of(&services)),
                3 => Kind::KillEnclaves,
                4 | 5 => Kind::Stop(dice.one_of(&services)),
                6 | 7 => Kind::Cut(link),
                8 | 9 => Kind::Full(dice.one_of(&services)),
                10 if has_fake_time() => Kind::Skew(skew),
                _ => Kind::Slow(link),
            };
            // Before, nothing is in flight yet.
            let at = Duration::from_millis(350 + dice.below(1_400));
            Fault { kind, at, lasts: Duration::from_millis(50 + dice.below(900)) }
        })
        .collect();
    plan.sort_by_key(|fault| fault.at);
    plan
}

/// Begins and ends every fault at its time.
pub(crate) fn carry_out(plan: &[Fault], stack: &mut Stack) {
    let begun = Instant::now();
    let ends = |fault: &Fault| fault.at + fault.lasts;
    let mut moments: Vec<(Duration, bool, Fault)> =
        plan.iter().flat_map(|fault| [(fault.at, true, *fault), (ends(fault), false, *fault)]).collect();
    moments.sort_by_key(|(at, ..)| *at);
    for (at, begins, fault) in moments {
        std::thread::sleep(at.saturating_sub(begun.elapsed()));
        if begins { begin(fault.kind, stack) } else { end(fault.kind, stack) }
    }
}

fn begin(kind: Kind, stack: &mut Stack) {
    match kind {
        Kind::Kill(service) => stack.kill(service),
        Kind::KillEnclaves => stack.kill_enclaves(),
        Kind::Stop(service) => stack.signal(service, "STOP"),
        Kind::Cut(link) => stack.proxies[link].1.cut(),
        Kind::Full(service) => stack.limit_files(service, Some(4_096)),
        Kind::Skew(seconds) => stack.skew_worker(seconds),
        Kind::Slow(link) => stack.proxies[link].1.slow(Duration::from_millis(150)),
    }
}

fn end(kind: Kind, stack: &mut Stack) {
    match kind {
        // One that does not come up now does so when everything is healed.
        Kind::Kill(service) if service != Service::Worker => stack.run(service),
        Kind::Kill(_) | Kind::KillEnclaves | Kind::Skew(_) => {}
        Kind::Full(service) => stack.limit_files(service, None),
        Kind::Stop(service) => stack.signal(service, "CONT"),
        Kind::Cut(link) | Kind::Slow(link) => stack.proxies[link].1.mend(),
    }
}
