//! Opening a sealed output: hash against the receipt, binding against the task, content for the requester.

use crate::{Client, ClientError, TaskRecord, batch::OutputPlace, streams::StreamReader, task::TaskState};
use sealwork_protocol::receipt::{self, CheckedReceipt};
use sealwork_seal::{
    HashingReader,
    age::{Identity, OpenReader},
    bundle::{OutputBundle, read_output},
};
use sealwork_types::{
    B256, TaskId, order::SigningDomain, params::MAX_OUTPUT_BYTES, receipt::ReceiptDocument,
};
use std::io::Read;

/// A checked and opened output.
#[derive(Debug)]
pub struct OpenedOutput {
    /// What the program wrote.
    pub bundle: OutputBundle,
    /// SHA-256 of the sealed bytes.
    pub sealed_digest: B256,
}

impl OpenedOutput {
    /// Bytes of files and standard output.
    pub fn bytes(&self) -> usize {
        let files: usize = self.bundle.files.iter().map(|file| file.bytes.len()).sum();
        files.saturating_add(self.bundle.stdout.len())
    }
}

impl Client {
    /// Checks a settled task's receipt and opens its output; `None` when the status comes without one.
    ///
    /// # Errors
    /// [`ClientError::Receipt`] or [`ClientError::Output`] with the first thing that does not hold.
    pub async fn fetch(
        &self,
        record: &TaskRecord,
        document: &ReceiptDocument,
    ) -> Result<Option<OpenedOutput>, ClientError> {
        match &record.state {
            TaskState::Settled(settled) => {
                let place = settled.output.map(|cid| OutputPlace { cid, bytes: None });
                self.fetch_output(record.task, document, place).await
            }
            TaskState::Batched { batch } => {
                let place = self.batch(&record.agreed, batch).await?.place(record.index);
                self.fetch_output(record.task, document, place).await
            }
            TaskState::Open { .. } | TaskState::Closed { .. } | TaskState::Refunded { .. } => {
                receipt::check(document, &self.network.anchors)?;
                Err(ClientError::Output { problem: "the task is not settled".into() })
            }
        }
    }

    /// Checks a task's receipt and opens its output from where it lies; `None` when the status comes without one.
    pub(crate) async fn fetch_output(
        &self,
        task: TaskId,
        document: &ReceiptDocument,
        lies_at: Option<OutputPlace>,
    ) -> Result<Option<OpenedOutput>, ClientError> {
        let checked = receipt::check(document, &self.network.anchors)?;
        if checked.output.is_zero() {
            return Ok(None);
        }
        let OutputPlace { cid, bytes } = lies_at.ok_or_else(lies_nowhere)?;
        let sealed = match bytes {
            None => self.parts.store.get(&cid).await?,
            Some(bytes) => self.parts.store.get_range(&cid, bytes).await?,
        };
        let reader = StreamReader::new(sealed);
        let (identity, domain) = (self.output_identity(), document.domain);
        let opening =
            tokio::task::spawn_blocking(move || open_output(reader, &identity, &checked, domain, task));
        let opened = opening.await.map_err(|error| ClientError::Output { problem: error.to_string() })??;
        Ok(Some(opened))
    }
}

pub(crate) fn lies_nowhere() -> ClientError {
    ClientError::Output { problem: "nobody says where the output lies".into() }
}

/// Opens sealed output bytes and checks them against a checked receipt.
///
/// # Errors
/// [`ClientError::Output`] when the bytes are not for this identity, not of this task, or malformed;
/// [`ClientError::Receipt`] when they are not the ones that the enclave signed.
pub fn open_output(
    sealed: impl Read,
    identity: &Identity,
    receipt: &CheckedReceipt,
    domain: SigningDomain,
    task: TaskId,
) -> Result<OpenedOutput, ClientError> {
    let failed = |problem: String| ClientError::Output { problem };
    let mut hashing = HashingReader::new(sealed);
    let result = OpenReader::new(std::slice::from_ref(identity), &mut hashing)
        .map_err(|error| error.to_string())
        .and_then(|opener| read_output(opener, MAX_OUTPUT_BYTES).map_err(|error| error.to_string()));
    // Other bytes than the enclave signed are told first, whatever is wrong with them.
    let drained = std::io::copy(&mut hashing, &mut std::io::sink());
    drained.map_err(|error| failed(error.to_string()))?;
    let (_, sealed_digest, _) = hashing.finish();
    receipt::check_output(receipt, sealed_digest)?;
    let (binding, bundle) = result.map_err(failed)?;
    if binding.domain != domain || binding.task != task || binding.input_digest != receipt.input {
        return Err(failed("it belongs to another task".into()));
    }
    if binding.status != receipt.status.code() {
        return Err(failed("it carries another status than the receipt".into()));
    }
    Ok(OpenedOutput { bundle, sealed_digest })
}
