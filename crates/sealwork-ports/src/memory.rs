//! In-memory implementations, for tests and simulation.

mod store;

pub use store::MemoryStore;
