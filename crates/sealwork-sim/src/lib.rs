//! A whole network in one thread: real worker, client, CAS and enclaves on the real contracts, over a chain, a disk, storage,
//! connections and clocks that a seed makes go wrong.
//!
//! ```text
//! requester ──► endpoints that lie ──► embedded chain: real contracts, blocks by the clock, reorganizations
//!     │               ▲
//!     ├──► storage that is away, full, wrong          worker: real engine, job log on a disk that tears writes
//!     └──► CAS: real member ◄── connections that break ◄── enclaves: the real program, each on a thread that only
//!                                                                   runs while the simulation waits for it
//! ```
//!
//! Time is the runtime's paused clock, so minutes pass in milliseconds. Every effect of a process passes points at which it
//! may be killed ([`Life`]). A run lets things go wrong for ten minutes, then stops it, and then demands that
//! every task is settled or given up, exactly once; that all money is where it belongs and every receipt and output is
//! right; that what the worker believes is what the chain shows; that no plaintext was ever seen outside an enclave; that
//! no key went to an enclave that may not have it; and that nothing waits without a bound.
//!
//! A seed tells the same story every time: [`Report::digest`] is over everything that happened, without keys and ids,
//! which are random.

mod chain;
mod check;
mod clock;
mod disk;
mod enclave;
mod faults;
mod network;
mod process;
mod requester;
mod services;
mod simulate;
mod store;
mod trace;
mod world;

pub use check::Tally;
pub use faults::{Faults, Rates};
pub use process::Life;
pub use simulate::{Options, Report, simulate};
pub use trace::Trace;
pub use world::World;
