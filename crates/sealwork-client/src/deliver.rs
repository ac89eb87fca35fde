//! From settled tasks to checked receipts and opened outputs, in the order in which they lie in storage.

use crate::{
    BatchSettlement, CheckedBatch, Client, ClientError, TaskRecord, bag::TaskEnd, open::open_output,
    streams::StreamReader,
};
use futures::stream;
use sealwork_protocol::receipt;
use sealwork_seal::age::Identity;
use sealwork_types::{deal::Deal, network::TrustAnchors, receipt::ReceiptDocument};
use std::{error::Error as _, io::Read, sync::Arc};
use tokio::sync::mpsc;

/// Opened outputs that may wait for whoever takes them.
const QUEUE: usize = 2;

/// A task with how it ended.
pub(crate) struct Delivered {
    pub(crate) index: u32,
    pub(crate) end: TaskEnd,
}

impl Client {
    /// Checks the receipt of a task that was settled alone and opens its output.
    pub(crate) async fn deliver_task(&self, record: &TaskRecord) -> Result<Delivered, ClientError> {
        let index = record.index;
        let receipt = match self.receipt(record).await {
            Err(error) if error.may_pass() => return Err(error),
            Err(error) => return Ok(Delivered { index, end: unproven(&error) }),
            Ok(receipt) => receipt,
        };
        let end = match self.fetch(record, &receipt).await {
            Err(error) if error.may_pass() => return Err(error),
            Err(error @ ClientError::Receipt(_)) => unproven(&error),
            output => TaskEnd::Settled { status: receipt.status(), receipt: Box::new(receipt), output },
        };
        Ok(Delivered { index, end })
    }

    /// Checks the receipts of a batch and opens its outputs, reading them once from the first to the last.
    pub(crate) async fn deliver_batch(
        &self,
        deal: &Arc<Deal>,
        settled: &BatchSettlement,
        take: &mut (dyn FnMut(Delivered) + Send),
    ) -> Result<(), ClientError> {
        let batch = match self.batch(deal, settled).await {
            Err(error) if error.may_pass() => return Err(error),
            Err(error) => {
                (settled.first..settled.end())
                    .for_each(|index| take(Delivered { index, end: unproven(&error) }));
                return Ok(());
            }
            Ok(batch) => batch,
        };
        let sealed = match batch.outputs() {
            Some(cid) => self.parts.store.get(&cid).await?,
            None => Box::pin(stream::empty()),
        };
        let (reader, identity) = (StreamReader::new(sealed), self.output_identity());
        let anchors = self.network.anchors.clone();
        let (sender, mut opened) = mpsc::channel(QUEUE);
        let opening = tokio::task::spawn_blocking(move || {
            let outputs = Outputs { batch, anchors, identity, reader };
            outputs.open_all(|delivered| sender.blocking_send(delivered).is_ok());
        });
        while let Some(delivered) = opened.recv().await {
            take(delivered);
        }
        opening.await.map_err(|error| ClientError::Output { problem: error.to_string() })
    }
}

/// A batch whose outputs are read one behind the other.
struct Outputs {
    batch: CheckedBatch,
    anchors: TrustAnchors,
    identity: Identity,
    reader: StreamReader,
}

impl Outputs {
    /// Opens every output, until nobody takes them any more.
    fn open_all(mut self, mut take: impl FnMut(Delivered) -> bool) {
        for index in self.batch.indexes() {
            let Some(receipt) = self.batch.receipt(index) else { return };
            let end = match self.open(index, &receipt) {
                Err(error @ ClientError::Receipt(_)) => unproven(&error),
                output => TaskEnd::Settled { status: receipt.status(), receipt: Box::new(receipt), output },
            };
            if !take(Delivered { index, end }) {
                return;
            }
        }
    }

    fn open(
        &mut self,
        index: u32,
        document: &ReceiptDocument,
    ) -> Result<Option<crate::OpenedOutput>, ClientError> {
        let checked = receipt::check(document, &self.anchors)?;
        if checked.output.is_zero() {
            return Ok(None);
        }
        let bytes = self.batch.output_bytes(index).filter(|_| self.batch.outputs().is_some());
        let sealed = (&mut self.reader).take(bytes.ok_or_else(crate::open::lies_nowhere)?);
        let task = document.deal.task(index);
        match open_output(sealed, &self.identity, &checked, document.domain, task) {
            // The receipt itself was checked: other bytes are the output's fault.
            Err(error @ ClientError::Receipt(_)) => Err(ClientError::Output { problem: reason(&error) }),
            opened => opened.map(Some),
        }
    }
}

fn unproven(error: &ClientError) -> TaskEnd {
    TaskEnd::Unproven { problem: reason(error) }
}

/// An error with its causes, in one line.
pub(crate) fn reason(error: &ClientError) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
