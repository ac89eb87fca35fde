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
//! 6. Machine code from outside is run only behind a tag under the caller's key ([`Engine::restore`]); that is the only
//!    place in the workspace where the compiler's checks are left out.
//!
//! # What the process needs
//! Everything runs on the calling thread: no files, no sockets, no clock system call (time is read through the vDSO; where
//! that is not possible, `clock_gettime`). [`Engine::new`] installs handlers for SIGSEGV, SIGBUS, SIGILL and SIGFPE
//! (`rt_sigaction`); make the engine before rights are given up. After that, observed with `strace` on x86-64 Linux:
//!
//! | phase | system calls |
//! |---|---|
//! | [`Engine::compile`] | `brk`, `mmap`, `mprotect` (also to executable), `mremap`, `munmap` |
//! | [`Engine::run`] | the same, `sigaltstack`, and `rt_sigreturn`, `rt_sigprocmask` when a program traps |
//! | allocator and locks | `madvise`, `futex` |
//!
//! All mappings are private and anonymous, none is writable and executable at once, and no descriptor is used. Each run
//! reserves 4 GiB of address space, so `RLIMIT_AS` must leave room for that.
//!
//! Generated code uses the features of the CPU it runs on. That does not change results, except for the bits of NaNs,
//! which are not canonicalized.

mod batch;
mod clock;
mod convert;
mod descriptors;
mod engine;
mod error;
mod files;
mod keep;
mod limiter;
mod process;
mod random;
mod run;
mod sections;
mod stderr;
mod stdin;
mod wasi;

pub use batch::{BatchInput, BatchOutput, Exit, InputFile, OutputFile};
pub use engine::{Engine, Module};
pub use error::{HostError, ModuleError, RunError};
pub use keep::TagKey;

/// Most bytes kept of standard error: its beginning and its end, with a marker between them.
pub const STDERR_MAX_BYTES: usize = 64 << 10;
