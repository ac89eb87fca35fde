//! One attempt at one task: fetch what the enclave needs, run it, store the sealed output.

use crate::{
    engine::Ports,
    finish::{self, Finished},
    journal::Job,
};
use bytes::Bytes;
use futures::{StreamExt, stream};
use sealwork_ports::{ErrorKind, PortError, TaskInput, TaskOutcome, TaskUpdate};
use sealwork_protocol::job::JobEvent;
use sealwork_types::{
    AppId, Cid, CodeHash, PolicyHash,
    enclave_wire::{Step, TaskFrame},
    manifest::{AppManifest, document_cid},
    order::{SignedRequest, TaskParams},
    params::MAX_MANIFEST_BYTES,
    progress::TaskStep,
};
use std::sync::Arc;
use tokio::sync::mpsc;
use tracing::{debug, info};

/// Sealed output chunks that may wait between enclave and storage.
const OUTPUT_QUEUE: usize = 4;
/// No further task of a batch is begun after so long: others wait for the slot, and a crash loses the batch.
const BATCH_BUDGET_MS: u64 = 2_000;
/// Length of a hybrid recipient, and a little room to notice longer ones.
const MAX_RECIPIENT_BYTES: usize = 4_096;

/// Runs a job in a slot and says what happened. Never fails: every failure is an event for the job.
pub(crate) async fn attempt(ports: &Arc<Ports>, slot: usize, job: &Job) -> JobEvent {
    match run(ports, slot, job).await {
        Ok(event) => event,
        Err(error) => {
            let reason = error.to_string();
            match error.kind {
                ErrorKind::Rejected | ErrorKind::Limit => JobEvent::GaveUp { reason },
                ErrorKind::Unavailable | ErrorKind::NotFound => JobEvent::Postponed { reason },
                ErrorKind::Corrupt | ErrorKind::Local => JobEvent::Interrupted { reason },
            }
        }
    }
}

async fn run(ports: &Arc<Ports>, slot: usize, job: &Job) -> Result<JobEvent, PortError> {
    // Whatever keeps an enclave from being attested is about this machine and the CAS, never about this task.
    let enclave = ports.enclaves.ensure(slot).await.map_err(|error| {
        PortError::because(ErrorKind::Unavailable, format!("no attested enclave: {error}"), error)
    })?;
    debug!(task = %job.task(), enclave = %enclave.enclave, "task.attested");
    ports.reach(job, TaskStep::Attested);
    let input = fetch(ports, job).await?;
    let mut running = ports.enclaves.run(slot, input).await?;
    let mut output: Option<OutputUpload> = None;
    while let Some(update) = running.next().await {
        match update? {
            TaskUpdate::Step(step) => {
                info!(task = %job.task(), ?step, "task.step");
                if step == Step::Running {
                    ports.reach(job, TaskStep::Running);
                }
            }
            TaskUpdate::Output(bytes) => {
                output.get_or_insert_with(|| OutputUpload::start(ports)).push(bytes).await?;
            }
            TaskUpdate::Ended(TaskOutcome::Refused { retryable: true, reason }) => {
                return Ok(JobEvent::Interrupted { reason });
            }
            TaskUpdate::Ended(TaskOutcome::Refused { retryable: false, reason }) => {
                return Ok(JobEvent::GaveUp { reason });
            }
            TaskUpdate::Ended(TaskOutcome::Done { receipt, signature }) => {
                let output = stored(output).await?;
                return Ok(finish::task(
                    &Finished { ports, job, grant: enclave.grant, output },
                    *receipt,
                    signature,
                ));
            }
            TaskUpdate::Ended(TaskOutcome::Batch(done)) => {
                let output = stored(output).await?;
                let finished = Finished { ports, job, grant: enclave.grant, output };
                return finish::batch(finished, *done).await;
            }
        }
    }
    Err(PortError::new(ErrorKind::Local, "the enclave ended in the middle of the task"))
}

/// Waits until the sealed output is in storage, if there is one.
async fn stored(output: Option<OutputUpload>) -> Result<Option<Cid>, PortError> {
    match output {
        Some(upload) => Ok(Some(upload.finish().await?)),
        None => Ok(None),
    }
}

async fn fetch(ports: &Ports, job: &Job) -> Result<TaskInput, PortError> {
    let (request, work) = (job.agreement.request(), job.agreement.work());
    let store = &ports.store;
    let rejected = |what: String| PortError::new(ErrorKind::Rejected, what);
    let params = TaskParams::from_bytes(&request.params).map_err(|error| {
        PortError::because(ErrorKind::Rejected, format!("the order's params: {error}"), error)
    })?;
    let (app, code) = (AppId::new(work.app), CodeHash::new(work.codeHash));
    let hash = ports.chain.manifest(app, code, PolicyHash::new(work.policyHash)).await?;
    let manifest = store.get_small(&document_cid(hash.get()), MAX_MANIFEST_BYTES).await?;
    let parsed = AppManifest::parse(&manifest).map_err(|error| rejected(error.to_string()))?;
    let policy = store.get_small(&document_cid(work.policyHash), MAX_MANIFEST_BYTES).await?;
    let output_recipient =
        store.get_small(&document_cid(request.outputRecipient), MAX_RECIPIENT_BYTES).await?;
    let signed =
        SignedRequest { order: request.clone(), signature: job.agreement.request_signature().clone() };
    let frame = TaskFrame {
        now: ports.clock.unix_s(),
        deal: job.deal().get().0,
        index: job.first,
        count: job.count,
        budget_ms: BATCH_BUDGET_MS,
        request: serde_json::to_vec(&signed).expect("numbers, hashes and strings always serialize"),
        manifest: manifest.to_vec(),
        policy: policy.to_vec(),
        output_recipient: output_recipient.to_vec(),
    };
    let module = store.get(&parsed.code).await?;
    let sealed_input = store.get(&params.input_cid).await?;
    Ok(TaskInput { frame, module, sealed_input })
}

/// A sealed output on its way into storage while the enclave still writes it.
struct OutputUpload {
    chunks: mpsc::Sender<Result<Bytes, PortError>>,
    stored: tokio::task::JoinSet<Result<Cid, PortError>>,
}

impl OutputUpload {
    fn start(ports: &Arc<Ports>) -> Self {
        let (chunks, queue) = mpsc::channel(OUTPUT_QUEUE);
        let store = Arc::clone(&ports.store);
        let content =
            stream::unfold(queue, |mut queue| async { queue.recv().await.map(|item| (item, queue)) }).boxed();
        // A set aborts its task when it is dropped, so an interrupted output is not stored as if it were whole.
        let mut stored = tokio::task::JoinSet::new();
        stored.spawn(async move { store.put(content).await });
        Self { chunks, stored }
    }

    async fn push(&self, bytes: Bytes) -> Result<(), PortError> {
        self.chunks
            .send(Ok(bytes))
            .await
            .map_err(|_| PortError::new(ErrorKind::Unavailable, "storage stopped taking the sealed output"))
    }

    async fn finish(mut self) -> Result<Cid, PortError> {
        drop(self.chunks);
        match self.stored.join_next().await {
            Some(Ok(stored)) => stored,
            _ => Err(PortError::new(ErrorKind::Local, "storing the sealed output was interrupted")),
        }
    }
}
