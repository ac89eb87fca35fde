//! In-memory implementations, for tests and simulation.
