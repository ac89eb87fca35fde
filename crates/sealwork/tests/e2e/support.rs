//! What the tests drive the system with.

pub(crate) mod anvil;
pub(crate) mod memory;
pub(crate) mod network;
pub(crate) mod process;
pub(crate) mod proxy;
pub(crate) mod requester;
pub(crate) mod rpc;

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

/// Longest wait for anything that should happen by itself.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

/// The repository's root.
pub(crate) fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// A folder of the examples.
pub(crate) fn example(name: &str) -> PathBuf {
    repository().join("examples").join(name)
}

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
