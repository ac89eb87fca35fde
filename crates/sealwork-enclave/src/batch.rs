//! Several tasks of one deal on the same input: opened once, run one by one, signed for together.

use crate::{
    clock::TrustedClock,
    enclave::Enclave,
    error::{Refusal, Stop},
    execute::{self, Blame, Execution, WholeInput},
    input::SealedInput,
    output::OutputFrames,
    task::{self, Prepared},
};
use sealwork_types::{
    B256, Status,
    batch::BatchedTask,
    enclave_wire::{BatchDone, Step, TaskFrame},
};
use std::{
    io::Write,
    time::{Duration, Instant},
};

/// Largest input that is kept in memory for the tasks of a batch, bytes of plaintext.
const MAX_INPUT_BYTES: u64 = 16 << 20;
/// A batch ends before the sealed outputs of its second and later tasks make it larger than this.
const MAX_OUTPUT_BYTES: u64 = 64 << 20;

/// Runs as many of the frame's tasks as its time and the room for outputs allow, and at least one.
pub(crate) fn run(enclave: &mut Enclave, frame: &TaskFrame, clock: TrustedClock) -> Result<BatchDone, Stop> {
    let begun = Instant::now();
    let prepared = task::prepare(enclave, frame, clock)?;
    let module = match &prepared.module {
        Ok(module) => module,
        Err(status) => return enclave.sign_batch(&prepared, blamed(&prepared, *status)),
    };
    let execution = prepared.execution(enclave, module);
    let input = match open(enclave, &execution)? {
        Ok(input) => input,
        Err(status) => return enclave.sign_batch(&prepared, blamed(&prepared, status)),
    };
    let budget = Duration::from_millis(frame.budget_ms);
    let tasks = enclave.run_tasks(&execution, &input, || begun.elapsed() < budget)?;
    enclave.sign_batch(&prepared, tasks)
}

/// The whole input, or the status of every task on it.
fn open(enclave: &Enclave, execution: &Execution<'_>) -> Result<Result<WholeInput, Status>, Stop> {
    let mut sealed = SealedInput::new(enclave.host.clone());
    let opened = execute::open_whole(execution, &mut sealed, MAX_INPUT_BYTES);
    enclave.host.check()?;
    if let Err(Blame::Nobody(refusal)) = opened {
        return Err(refusal.into());
    }
    // Only now it is certain whose bytes they are.
    sealed.settle(execution.job.params.input_digest)?;
    match opened {
        Ok(input) => Ok(Ok(input)),
        Err(Blame::Input(status)) => Ok(Err(status)),
        Err(Blame::Nobody(refusal)) => Err(refusal.into()),
    }
}

/// What every task comes to when the program or the input is to blame.
fn blamed(prepared: &Prepared, status: Status) -> Vec<BatchedTask> {
    let task = BatchedTask { status: status.code(), fuel: 0, output: B256::ZERO, bytes: 0 };
    vec![task; prepared.job.count as usize]
}

impl Enclave {
    /// Runs the first task, and further ones while there is time and room.
    fn run_tasks(
        &self,
        first: &Execution<'_>,
        input: &WholeInput,
        in_time: impl Fn() -> bool,
    ) -> Result<Vec<BatchedTask>, Stop> {
        let job = first.job;
        let mut tasks: Vec<BatchedTask> = Vec::new();
        let mut outputs = Outputs { frames: OutputFrames::new(self.host.clone()), total: 0, begun: false };
        self.progress(Step::Running)?;
        for index in (job.first..).take(job.count as usize) {
            if !tasks.is_empty() && !in_time() {
                break;
            }
            match self.run_task(&Execution { index, ..*first }, input) {
                Ok((_, sealed)) if !outputs.have_room_for(&sealed) => break,
                Ok((mut task, sealed)) => {
                    (task.output, task.bytes) = outputs.send(self, &sealed)?;
                    tasks.push(task);
                }
                // What was done stays done; the host asks again for the rest.
                Err(_) if !tasks.is_empty() => break,
                Err(refusal) => return Err(refusal.into()),
            }
        }
        outputs.frames.finish()?;
        Ok(tasks)
    }

    /// How one task ended, and its sealed output; empty when there is none.
    fn run_task(
        &self,
        execution: &Execution<'_>,
        input: &WholeInput,
    ) -> Result<(BatchedTask, Vec<u8>), Refusal> {
        let nothing =
            |status: Status, fuel| BatchedTask { status: status.code(), fuel, output: B256::ZERO, bytes: 0 };
        let ran = match execute::execute_whole(execution, input) {
            Ok(ran) => task::deliverable(ran),
            Err(Blame::Input(status)) => return Ok((nothing(status, 0), Vec::new())),
            Err(Blame::Nobody(refusal)) => return Err(refusal),
        };
        let sealed = task::seal(execution.job, &execution.domain, execution.index, &ran, Vec::new())?;
        Ok((nothing(ran.status, ran.fuel), sealed))
    }

    fn sign_batch(&self, prepared: &Prepared, tasks: Vec<BatchedTask>) -> Result<BatchDone, Stop> {
        let statement = prepared.job.batch(&tasks)?;
        let signature = self.signer.sign(&self.anchors.domain, &statement);
        Ok(BatchDone { statement, signature, tasks })
    }
}

/// Sealed outputs on their way to the host, one behind the other.
struct Outputs {
    frames: OutputFrames,
    total: u64,
    /// Whether the host knows that outputs come.
    begun: bool,
}

impl Outputs {
    /// The first output has room whatever its size.
    fn have_room_for(&self, sealed: &[u8]) -> bool {
        self.total == 0 || self.total.saturating_add(sealed.len() as u64) <= MAX_OUTPUT_BYTES
    }

    /// Sends an output; gives its digest (zero for none) and length.
    fn send(&mut self, enclave: &Enclave, sealed: &[u8]) -> Result<(B256, u64), Stop> {
        if sealed.is_empty() {
            return Ok((B256::ZERO, 0));
        }
        if !std::mem::replace(&mut self.begun, true) {
            enclave.progress(Step::Sealing)?;
        }
        let written = self.frames.write_all(sealed);
        enclave.host.check()?;
        written.map_err(|error| Refusal::transient(format!("the output cannot be sent: {error}")))?;
        self.total = self.total.saturating_add(sealed.len() as u64);
        Ok((self.frames.cut(), sealed.len() as u64))
    }
}
