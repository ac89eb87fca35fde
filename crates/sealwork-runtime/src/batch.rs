//! What goes into a run of a batch program and what comes out.

use sealwork_types::policy::Limits;
use std::{collections::BTreeMap, fmt, io::Read};

/// A file that the program sees under `/in`.
#[derive(Clone, PartialEq, Eq)]
pub struct InputFile {
    /// Path relative to `/in`, parts divided by `/`.
    pub name: String,
    /// Content.
    pub bytes: Vec<u8>,
}

/// A file that the program left under `/out`.
#[derive(Clone, PartialEq, Eq)]
pub struct OutputFile {
    /// Path relative to `/out`, parts divided by `/`.
    pub name: String,
    /// Content.
    pub bytes: Vec<u8>,
}

/// Everything one run depends on. Equal inputs give equal outputs, unless the time limit ends the run.
pub struct BatchInput<'a> {
    /// Arguments after the program's name (`argv[1..]`; `argv[0]` is `app`).
    pub args: Vec<String>,
    /// Environment variables; the program sees no others.
    pub environment: BTreeMap<String, String>,
    /// Files under `/in`.
    pub files: Vec<InputFile>,
    /// Standard input, read only as fast as the program asks. Time inside the reader does not count as the program's;
    /// a reader that can block must give up by itself.
    pub stdin: Box<dyn Read + 'a>,
    /// Seed of everything `random_get` returns.
    pub random_seed: [u8; 32],
    /// Real time at the start of the run as the program sees it, seconds since 1970.
    pub now_unix_s: u64,
    /// Limits of the run.
    pub limits: Limits,
}

/// What a run left behind, whichever way it ended.
pub struct BatchOutput {
    /// How it ended.
    pub exit: Exit,
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error, at most [`crate::STDERR_MAX_BYTES`].
    pub stderr: Vec<u8>,
    /// Files under `/out`, sorted by name. Empty directories are not reported.
    pub files: Vec<OutputFile>,
    /// Fuel used. The same for equal inputs on every machine, unless the time limit ended the run.
    pub fuel: u64,
}

/// How a run ended.
#[derive(Debug)]
pub enum Exit {
    /// The program returned (0) or called `proc_exit`.
    Code(i32),
    /// The program trapped: what happened, without any of the program's data.
    Trap(String),
    /// The program ended because it did not get memory beyond `Limits::memory_bytes`.
    MemoryLimit,
    /// The program ran longer than `Limits::time_ms`.
    TimeLimit,
    /// The program used all of `Limits::fuel`.
    FuelLimit,
    /// The program wrote more than `Limits::output_bytes` to standard output and `/out`.
    OutputLimit,
    /// The reader of standard input failed.
    StdinFailed(std::io::Error),
}

/// Shows sizes only: contents are secrets of the requester.
impl fmt::Debug for InputFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InputFile").field("bytes", &self.bytes.len()).finish_non_exhaustive()
    }
}

/// Shows sizes only: contents are secrets of the requester.
impl fmt::Debug for OutputFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutputFile").field("bytes", &self.bytes.len()).finish_non_exhaustive()
    }
}

/// Shows sizes and limits only: contents are secrets of the requester.
impl fmt::Debug for BatchInput<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchInput")
            .field("args", &self.args.len())
            .field("files", &self.files)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// Shows sizes and the exit only: contents are secrets of the requester.
impl fmt::Debug for BatchOutput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchOutput")
            .field("exit", &self.exit)
            .field("stdout", &self.stdout.len())
            .field("stderr", &self.stderr.len())
            .field("files", &self.files)
            .field("fuel", &self.fuel)
            .finish()
    }
}
