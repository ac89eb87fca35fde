//! A running task: a driver that owns the process, and the handle that the worker holds.

use super::{
    chunks::Chunks,
    compiled::Shelf,
    process::{Launch, MAX_DOCUMENT_BYTES, Process, unexpected},
};
use async_trait::async_trait;
use sealwork_ports::{ErrorKind, PortError, RunningTask, TaskInput, TaskOutcome, TaskUpdate};
use sealwork_types::{
    batch::MAX_BATCH_DOCUMENT_BYTES,
    bounded::parse_json,
    enclave_wire::{BatchDone, DoneFrame, FromEnclave, TaskFrame, ToEnclave},
    policy::Policy,
};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{MutexGuard, mpsc},
    task::JoinHandle,
};

/// Updates that wait for the worker: with chunks of output of 1 MiB, the most that is held for a slow reader.
const UPDATES: usize = 2;

type Driven = Result<(Process, TaskOutcome), PortError>;

/// Handle of a running task. Keeps its slot locked until the task ended; dropping it earlier kills the enclave.
pub(super) struct DrivenTask<'a> {
    slot: MutexGuard<'a, Option<Process>>,
    updates: mpsc::Receiver<TaskUpdate>,
    driver: Option<JoinHandle<Driven>>,
}

impl<'a> DrivenTask<'a> {
    pub(super) fn start(
        slot: MutexGuard<'a, Option<Process>>,
        process: Process,
        launch: Arc<Launch>,
        input: TaskInput,
    ) -> Self {
        let (sender, updates) = mpsc::channel(UPDATES);
        let driver = tokio::spawn(drive(process, launch, input, sender));
        Self { slot, updates, driver: Some(driver) }
    }
}

#[async_trait]
impl RunningTask for DrivenTask<'_> {
    async fn next(&mut self) -> Option<Result<TaskUpdate, PortError>> {
        if let Some(update) = self.updates.recv().await {
            return Some(Ok(update));
        }
        let driven = self.driver.as_mut()?.await;
        self.driver = None;
        Some(match driven {
            Ok(Ok((process, outcome))) => {
                *self.slot = Some(process);
                Ok(TaskUpdate::Ended(outcome))
            }
            Ok(Err(error)) => Err(error),
            Err(error) => Err(PortError::because(ErrorKind::Local, "drive the enclave", error)),
        })
    }
}

impl Drop for DrivenTask<'_> {
    fn drop(&mut self) {
        if let Some(driver) = &self.driver {
            driver.abort();
        }
    }
}

/// Feeds the enclave until the task ended. Gives the process back only when it can take another task.
#[expect(clippy::wildcard_enum_match_arm, reason = "every other message is out of order")]
async fn drive(
    mut process: Process,
    launch: Arc<Launch>,
    input: TaskInput,
    updates: mpsc::Sender<TaskUpdate>,
) -> Driven {
    let patience = patience(&launch, &input.frame);
    let batch = input.frame.count > 1;
    let storage = launch.timeouts().silence;
    // The module may not be needed; the input is, and can be on its way while the enclave prepares.
    let mut module = Chunks::new(input.module, storage);
    let mut sealed = Chunks::new(input.sealed_input, storage);
    sealed.read_ahead();
    let mut compiled = Shelf::new(&launch);
    process.send(&launch, &ToEnclave::Task(Box::new(input.frame))).await?;
    loop {
        let update = match process.receive(&launch, patience).await? {
            FromEnclave::NeedModule => {
                let chunk = module.next().await;
                process.send(&launch, &ToEnclave::Chunk(chunk)).await?;
                continue;
            }
            FromEnclave::NeedInput => {
                let chunk = sealed.next().await;
                process.send(&launch, &ToEnclave::Chunk(chunk)).await?;
                continue;
            }
            FromEnclave::NeedCompiled(name) => {
                let chunk = compiled.next(name).await;
                process.send(&launch, &ToEnclave::Chunk(chunk)).await?;
                continue;
            }
            FromEnclave::KeepCompiled { name, bytes } => {
                compiled.keep(name, &bytes).await;
                continue;
            }
            FromEnclave::Progress(step) => TaskUpdate::Step(step),
            FromEnclave::Output(bytes) => TaskUpdate::Output(bytes.into()),
            FromEnclave::Done { done } => return Ok((process, done_outcome(&done, batch)?)),
            FromEnclave::Refused { retryable, reason } => {
                let failure = module.failure().or_else(|| sealed.failure());
                return Ok((process, refused_outcome(retryable, reason, failure)));
            }
            other => return Err(unexpected("a step of the task", &other)),
        };
        if updates.send(update).await.is_err() {
            return Err(PortError::new(ErrorKind::Local, "run the task: nobody waits for it any more"));
        }
    }
}

/// A running program may be silent as long as its policy lets it run, and several as long as none begins too late.
fn patience(launch: &Launch, frame: &TaskFrame) -> Duration {
    let silence = launch.timeouts().silence;
    let begins = if frame.count > 1 { frame.budget_ms } else { 0 };
    match Policy::parse(&frame.policy) {
        Ok(policy) => {
            let busy = policy.limits.time_ms.saturating_add(begins);
            silence.saturating_add(Duration::from_millis(busy))
        }
        // The enclave will refuse it.
        Err(_) => silence,
    }
}

fn done_outcome(done: &[u8], batch: bool) -> Result<TaskOutcome, PortError> {
    let unusable = |error| PortError::because(ErrorKind::Local, "read the enclave's result", error);
    if batch {
        let done: BatchDone = parse_json("result", done, MAX_BATCH_DOCUMENT_BYTES).map_err(unusable)?;
        return Ok(TaskOutcome::Batch(Box::new(done)));
    }
    let done: DoneFrame = parse_json("result", done, MAX_DOCUMENT_BYTES).map_err(unusable)?;
    Ok(TaskOutcome::Done { receipt: Box::new(done.receipt), signature: done.signature })
}

/// When storage failed, that is the reason, not what the enclave made of the missing bytes.
fn refused_outcome(retryable: bool, reason: String, failure: Option<&PortError>) -> TaskOutcome {
    match failure {
        Some(error) => {
            let reason = format!("storage failed: {error} ({reason})");
            TaskOutcome::Refused { retryable: error.is_retryable() || retryable, reason }
        }
        None => TaskOutcome::Refused { retryable, reason },
    }
}
