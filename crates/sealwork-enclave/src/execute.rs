//! Opens the sealed input, runs the program on it, and says how that ended.

use crate::{error::Refusal, host::Host, input::SealedInput, job::Job};
use sealwork_ratls::keys::app_identity;
use sealwork_runtime::{BatchInput, BatchOutput, Engine, Exit, InputFile, Module, RunError};
use sealwork_seal::{
    Secret,
    age::{OpenError, OpenReader},
    binding::InputBinding,
    bundle::{BundleError, InputHead, InputReader, MAX_STDERR_BYTES, OutputBundle, OutputFile, StdinReader},
    kdf,
};
use sealwork_types::{
    Status, domains,
    enclave_wire::{FromEnclave, Step},
    order::SigningDomain,
    params::TASK_DEADLINE_S,
};
use std::io::Read;

/// Exit code in bundles of programs that did not get to choose one.
const NO_EXIT_CODE: i32 = -1;

/// All that a run depends on beside the sealed input.
#[derive(Clone, Copy)]
pub(crate) struct Execution<'a> {
    pub(crate) job: &'a Job,
    /// Which of the job's tasks.
    pub(crate) index: u32,
    pub(crate) domain: SigningDomain,
    pub(crate) secret: &'a Secret<[u8; 32]>,
    pub(crate) host: &'a Host,
    pub(crate) engine: &'a Engine,
    pub(crate) module: &'a Module,
    /// The later of the host's time and the enclave's own.
    pub(crate) now: u64,
    /// The enclave's own time.
    pub(crate) trusted_now: u64,
}

/// A program ran; its input was intact to the end.
pub(crate) struct Ran {
    pub(crate) status: Status,
    pub(crate) bundle: OutputBundle,
    pub(crate) fuel: u64,
}

/// Why there is nothing to deliver.
pub(crate) enum Blame {
    /// The sealed input, if its bytes turn out to be the order's.
    Input(Status),
    /// Nobody who signed something.
    Nobody(Refusal),
}

type SealedStdin<'a> = StdinReader<OpenReader<&'a mut SealedInput>>;

/// Opens, runs, and reads the input to its authenticated end.
pub(crate) fn execute(execution: &Execution<'_>, sealed: &mut SealedInput) -> Result<Ran, Blame> {
    let Opened { head, files, mut stdin } = open(execution, sealed, u64::MAX)?;
    execution.running()?;
    let names = head.files.into_iter().map(|(name, _)| name);
    let files = names.zip(files).map(|(name, bytes)| InputFile { name, bytes }).collect();
    let output = run(execution, head.args, files, Box::new(&mut stdin))?;
    stdin.finish().map_err(|error| Blame::Input(status_of(&error)))?;
    conclude(execution, output)
}

/// An input that was opened once for several tasks. Contents are wiped when it is dropped.
pub(crate) struct WholeInput {
    args: Vec<String>,
    files: Vec<(String, Secret<Vec<u8>>)>,
    stdin: Secret<Vec<u8>>,
}

/// Reads the input to its authenticated end, unless it holds more than `max_bytes`.
pub(crate) fn open_whole(
    execution: &Execution<'_>,
    sealed: &mut SealedInput,
    max_bytes: u64,
) -> Result<WholeInput, Blame> {
    let Opened { head, files, mut stdin } = open(execution, sealed, max_bytes)?;
    let names = head.files.into_iter().map(|(name, _)| name);
    let files = names.zip(files.into_iter().map(Secret::new)).collect();
    // All the room at once: a vector that grows leaves copies behind.
    let mut content = Vec::with_capacity(usize::try_from(head.stdin_len).unwrap_or_default());
    let read = stdin.read_to_end(&mut content);
    let content = Secret::new(content);
    // After a failed read, this says why it failed.
    stdin.finish().map_err(|error| Blame::Input(status_of(&error)))?;
    read.map_err(|_| Blame::Input(Status::INPUT_FORMAT_ERROR))?;
    Ok(WholeInput { args: head.args, files, stdin: content })
}

/// Runs one task on an input that is already open.
pub(crate) fn execute_whole(execution: &Execution<'_>, input: &WholeInput) -> Result<Ran, Blame> {
    let file = |(name, bytes): &(String, Secret<Vec<u8>>)| InputFile {
        name: name.clone(),
        bytes: bytes.expose(Vec::clone),
    };
    let files = input.files.iter().map(file).collect();
    let output =
        input.stdin.expose(|stdin| run(execution, input.args.clone(), files, Box::new(&stdin[..])))?;
    conclude(execution, output)
}

impl Execution<'_> {
    /// Tells the host that the program starts.
    pub(crate) fn running(&self) -> Result<(), Blame> {
        self.host
            .send(&FromEnclave::Progress(Step::Running))
            .map_err(|error| Blame::Nobody(Refusal::transient(self.host.defer(error).to_string())))
    }
}

struct Opened<'a> {
    head: InputHead,
    files: Vec<Vec<u8>>,
    stdin: SealedStdin<'a>,
}

fn open<'a>(
    execution: &Execution<'_>,
    sealed: &'a mut SealedInput,
    max_bytes: u64,
) -> Result<Opened<'a>, Blame> {
    let blame = |error: BundleError| Blame::Input(status_of(&error));
    let identity = app_identity(execution.secret);
    let plaintext = OpenReader::new(&[identity], sealed).map_err(|error| blame(error.into()))?;
    let (binding, reader) = InputReader::new(plaintext).read_binding().map_err(blame)?;
    check_binding(execution, &binding)?;
    if binding.body_len > max_bytes {
        return Err(Blame::Nobody(Refusal::permanent(format!(
            "the sealed input holds {} bytes, tasks that run together share at most {max_bytes}; ask for one task at a time",
            binding.body_len
        ))));
    }
    let (head, reader) = reader.read_head(execution.job.policy.limits.files_bytes).map_err(blame)?;
    let (files, stdin) = reader.read_files().map_err(blame)?;
    Ok(Opened { head, files, stdin })
}

/// The binding names one order's circumstances; all of them must be this order's.
fn check_binding(execution: &Execution<'_>, binding: &InputBinding) -> Result<(), Blame> {
    let job = execution.job;
    let matches = binding.domain == execution.domain
        && binding.requester == job.order.requester
        && binding.app == job.app()
        && binding.output_recipient == job.order.outputRecipient;
    if !matches {
        return Err(Blame::Input(Status::INPUT_BINDING_ERROR));
    }
    // Expiry bounds the match, not the run: a worker must not be paid for waiting until an input has expired.
    let latest = binding.expiry.saturating_add(TASK_DEADLINE_S);
    if latest < execution.trusted_now {
        return Err(Blame::Input(Status::INPUT_EXPIRED));
    }
    if latest < execution.now {
        // The host says it is later than the enclave can know. That is enough to stop, not enough to blame.
        return Err(Blame::Nobody(Refusal::transient(format!(
            "the sealed input expired at {}, the host says it is {}; attest again to prove the time",
            binding.expiry, execution.now
        ))));
    }
    Ok(())
}

fn run(
    execution: &Execution<'_>,
    args: Vec<String>,
    files: Vec<InputFile>,
    stdin: Box<dyn Read + '_>,
) -> Result<BatchOutput, Blame> {
    let (job, index) = (execution.job, execution.index);
    let seed = execution
        .secret
        .expose(|secret| kdf::derive(domains::TASK_RANDOMNESS, secret, &[job.task(index).as_slice()]));
    let input = BatchInput {
        args,
        environment: job.environment(index),
        files,
        stdin,
        random_seed: seed.expose(|bytes| *bytes),
        now_unix_s: execution.now,
        limits: job.policy.limits,
    };
    execution.engine.run(execution.module, input).map_err(|error| not_started(&error))
}

fn not_started(error: &RunError) -> Blame {
    if matches!(error, RunError::Text { .. } | RunError::InputFile { .. } | RunError::InputTooLarge { .. }) {
        return Blame::Input(Status::INPUT_FORMAT_ERROR);
    }
    Blame::Nobody(Refusal::transient(format!("the program could not be started: {error}")))
}

/// Names the end of a run. The time limit does not count the time in which the program waited for the host.
fn conclude(execution: &Execution<'_>, output: BatchOutput) -> Result<Ran, Blame> {
    let limits = &execution.job.policy.limits;
    let BatchOutput { exit, stdout, stderr, files, fuel } = output;
    let (status, note) = match exit {
        Exit::Code(code) => {
            let status = if code == 0 { Status::SUCCESS } else { Status::EXIT_NONZERO };
            let files =
                files.into_iter().map(|file| OutputFile { name: file.name, bytes: file.bytes }).collect();
            let bundle = OutputBundle { exit_code: code, stdout, stderr: tail(stderr), files };
            return Ok(Ran { status, bundle, fuel });
        }
        Exit::Trap(what) => (Status::BASE_EXCEPTION, format!("trap: {what}")),
        Exit::MemoryLimit => {
            (Status::MEMORY_LIMIT, format!("more than {} bytes of memory", limits.memory_bytes))
        }
        Exit::TimeLimit => (Status::TIME_LIMIT, format!("ran longer than {} ms", limits.time_ms)),
        Exit::FuelLimit => (Status::FUEL_LIMIT, format!("used more than {} units of fuel", limits.fuel)),
        Exit::OutputLimit => {
            (Status::OUTPUT_LIMIT, format!("more than {} bytes of output", limits.output_bytes))
        }
        Exit::StdinFailed(_) => return Err(Blame::Input(Status::INPUT_FORMAT_ERROR)),
    };
    let mut text = stderr;
    text.extend_from_slice(format!("sealwork: {note}\n").as_bytes());
    let bundle = OutputBundle { exit_code: NO_EXIT_CODE, stderr: tail(text), ..OutputBundle::default() };
    Ok(Ran { status, bundle, fuel })
}

/// The end of standard error says most about what went wrong.
fn tail(mut stderr: Vec<u8>) -> Vec<u8> {
    let limit = usize::try_from(MAX_STDERR_BYTES).unwrap_or(usize::MAX);
    let surplus = stderr.len().saturating_sub(limit);
    stderr.drain(..surplus);
    stderr
}

fn status_of(error: &BundleError) -> Status {
    if matches!(error, BundleError::Read(OpenError::NoMatch)) {
        return Status::KEY_ERROR;
    }
    Status::INPUT_FORMAT_ERROR
}
