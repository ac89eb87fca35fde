//! Runs WebAssembly batch programs: WASI preview 1 in memory, with limits on everything. No other crate names the engine.
//!
//! A *module* is compiled once ([`Engine::compile`]) and then *run* any number of times ([`Engine::run`]), each time in a
//! fresh instance that sees its arguments, environment, standard input, `/in` (read-only), `/out` (delivered), `/tmp`
//! (forgotten), a virtual clock and a seeded random stream, and nothing else.
//!
//! # Invariants
//! 1. Equal input gives equal output and equal fuel, unless the time limit ends the run.
//! 2. Nothing of a run survives it; modules share no state.
//! 3. The host's memory for a run is bounded by `memory_bytes + files_bytes + output_bytes` and a constant
//!    ([`STDERR_MAX_BYTES`], 64 MiB of `/tmp`, names, tables); bounds are checked before bytes are copied.
//! 4. No module and no call can panic the host, and every pointer of a program is checked against its memory.
//! 5. No path leaves the directory that it starts in.
#![doc = ""]

mod batch;
mod clock;
mod convert;
mod descriptors;
mod engine;
mod error;
mod files;
mod limiter;
mod process;
mod random;
mod run;
mod stderr;
mod stdin;
mod wasi;

pub use batch::{BatchInput, BatchOutput, Exit, InputFile, OutputFile};
pub use engine::{Engine, Module};
pub use error::{HostError, ModuleError, RunError};

/// Most bytes kept of standard error: its beginning and its end, with a marker between them.
pub const STDERR_MAX_BYTES: usize = 64 << 10;
