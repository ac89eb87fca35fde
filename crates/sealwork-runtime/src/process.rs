//! Everything that belongs to one run: what the program sees and what it left behind.

use crate::{
    batch::{BatchInput, BatchOutput, Exit, OutputFile},
    clock::Clock,
    convert::to_u64,
    descriptors::{Descriptor, Descriptors},
    error::RunError,
    files::{FileSystem, Tree},
    limiter::Limiter,
    random::RandomStream,
    stderr::Stderr,
    stdin::StdinPort,
    wasi::Fail,
};
use std::time::Instant;

const PROGRAM_NAME: &str = "app";
/// Most bytes of arguments, and of environment variables, with their zero bytes.
const TEXT_MAX_BYTES: usize = 1 << 20;

/// The state of one program.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) memory: Option<wasmtime::Memory>,
    pub(crate) limiter: Limiter,
    /// Arguments, each with its zero byte.
    pub(crate) args: Vec<Vec<u8>>,
    /// Environment variables `NAME=value`, each with its zero byte.
    pub(crate) environment: Vec<Vec<u8>>,
    pub(crate) descriptors: Descriptors,
    pub(crate) files: FileSystem,
    pub(crate) stdin: StdinPort,
    pub(crate) clock: Clock,
    pub(crate) random: RandomStream,
    /// When the time limit ends the run.
    pub(crate) deadline: Instant,
    /// Fuel that the current call costs beside its fixed price.
    pub(crate) owed_fuel: u64,
    /// Why a call ended the run.
    pub(crate) end: Option<Exit>,
    stdout: Vec<u8>,
    pub(crate) stderr: Stderr,
}

impl Process {
    /// Prepares a program's world.
    pub(crate) fn new(input: BatchInput<'_>, stdin: StdinPort, deadline: Instant) -> Result<Self, RunError> {
        let bytes = input.files.iter().fold(0_u64, |sum, file| sum.saturating_add(to_u64(file.bytes.len())));
        if bytes > input.limits.files_bytes {
            return Err(RunError::InputTooLarge { bytes, max: input.limits.files_bytes });
        }
        let clock = Clock::new(input.now_unix_s);
        let mut files = FileSystem::new(input.limits.output_bytes, clock.stamp_ns());
        for file in input.files {
            files.add_input(file, clock.stamp_ns())?;
        }
        let args = std::iter::once(PROGRAM_NAME.to_owned()).chain(input.args);
        let environment = input.environment.into_iter().map(|(name, value)| format!("{name}={value}"));
        Ok(Self {
            memory: None,
            limiter: Limiter::new(input.limits.memory_bytes),
            args: c_strings("argument", args)?,
            environment: c_strings("environment variable", environment)?,
            descriptors: standard_descriptors(&mut files),
            files,
            stdin,
            clock,
            random: RandomStream::new(&input.random_seed),
            deadline,
            owed_fuel: 0,
            end: None,
            stdout: Vec::new(),
            stderr: Stderr::default(),
        })
    }

    /// Makes room for `len` bytes of standard output, after the bound is checked.
    pub(crate) fn extend_stdout(&mut self, len: u64) -> Result<&mut Vec<u8>, Fail> {
        self.files.charge(Tree::Output, len)?;
        Ok(&mut self.stdout)
    }

    /// What the program left behind.
    pub(crate) fn into_output(mut self, exit: Exit, fuel: u64) -> BatchOutput {
        let files: Vec<OutputFile> = self.files.take_output();
        BatchOutput { exit, stdout: self.stdout, stderr: self.stderr.into_bytes(), files, fuel }
    }
}

fn standard_descriptors(files: &mut FileSystem) -> Descriptors {
    let mut table = Descriptors::default();
    let streams = [Descriptor::Stdin, Descriptor::Stdout, Descriptor::Stderr].into_iter();
    let preopens = Tree::PREOPENS
        .map(|(tree, name)| Descriptor::Directory { node: files.root(tree), preopen: Some(name) });
    for descriptor in streams.chain(preopens) {
        table.add(descriptor).expect("an empty table has room for six descriptors");
    }
    for (tree, _) in Tree::PREOPENS {
        files.opened(files.root(tree)).expect("roots always exist");
    }
    table
}

fn c_strings(what: &str, texts: impl Iterator<Item = String>) -> Result<Vec<Vec<u8>>, RunError> {
    let mut total = 0_usize;
    let mut strings = Vec::new();
    for (index, text) in texts.enumerate() {
        total = total.saturating_add(text.len()).saturating_add(1);
        if text.contains('\0') || total > TEXT_MAX_BYTES {
            let problem = if total > TEXT_MAX_BYTES {
                "goes beyond 1 MiB of text"
            } else {
                "contains a zero byte, which a program could not see"
            };
            return Err(RunError::Text { what: format!("{what} {index}"), problem });
        }
        let mut bytes = text.into_bytes();
        bytes.push(0);
        strings.push(bytes);
    }
    Ok(strings)
}
