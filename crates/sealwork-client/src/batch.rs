//! Tasks that were settled together: the document behind their batch, checked against the event and the deal.

use crate::{Client, ClientError};
use sealwork_ports::SettledBatch;
use sealwork_protocol::{batch::ReceiptBatch, receipt};
use sealwork_types::{
    Address, B256, Bytes, Cid,
    abi::{Batch, Receipt, Tally},
    batch::{BatchDocument, MAX_BATCH_DOCUMENT_BYTES},
    deal::{Deal, tasks_in},
    receipt::{ReceiptDocument, Settlement},
};
use serde::Serialize;
use std::{ops::Range, sync::Arc};

/// Tasks that follow each other, settled by one statement, as its event shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BatchSettlement {
    /// Enclave that signed.
    pub enclave: Address,
    /// Index of the first task.
    pub first: u32,
    /// How the tasks ended.
    pub tally: Tally,
    /// Root over the receipts.
    pub root: B256,
    /// Where the receipts lie; `None` when the event names nothing that can be fetched.
    pub receipts: Option<Cid>,
    /// The enclave's signature.
    pub signature: Bytes,
    /// Settlement transaction.
    pub transaction: B256,
    /// Its block.
    pub block: u64,
}

impl BatchSettlement {
    pub(crate) fn of(enclave: Address, batch: SettledBatch, transaction: B256, block: u64) -> Self {
        let SettledBatch { first, tally, root, receipts, signature } = batch;
        Self { enclave, first, tally, root, receipts, signature, transaction, block }
    }

    /// Index behind the last task.
    pub(crate) fn end(&self) -> u32 {
        self.first.saturating_add(tasks_in(&self.tally))
    }
}

/// A settled batch with all its receipts, which make up what the enclave signed and the chain shows.
#[derive(Clone, Debug)]
pub struct CheckedBatch {
    document: BatchDocument,
    receipts: Vec<Receipt>,
    proofs: ReceiptBatch,
    deal: Arc<Deal>,
    settlement: Settlement,
}

/// Where a sealed output lies: a content, or bytes of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OutputPlace {
    pub(crate) cid: Cid,
    pub(crate) bytes: Option<Range<u64>>,
}

impl CheckedBatch {
    /// Indexes of its tasks.
    pub fn indexes(&self) -> Range<u32> {
        let first = self.document.first;
        first..first.saturating_add(u32::try_from(self.receipts.len()).unwrap_or(0))
    }

    /// The receipt document of one of its tasks; `None` when it has no such task.
    pub fn receipt(&self, index: u32) -> Option<ReceiptDocument> {
        let position = usize::try_from(index.checked_sub(self.document.first)?).ok()?;
        Some(ReceiptDocument {
            version: ReceiptDocument::VERSION,
            domain: self.document.domain,
            receipt: self.receipts.get(position)?.clone(),
            signature: Bytes::new(),
            batch: Some(self.proofs.proof(index, self.document.signature.clone())?),
            deal: Deal::clone(&self.deal),
            grant: self.document.grant.clone(),
            grant_signatures: self.document.grant_signatures.clone(),
            settlement: Some(self.settlement.clone()),
        })
    }

    /// Length of a task's sealed output, as the document says.
    pub(crate) fn output_bytes(&self, index: u32) -> Option<u64> {
        self.document.place(index).map(|bytes| bytes.end.saturating_sub(bytes.start))
    }

    /// Where all sealed outputs lie, one behind the other.
    pub(crate) const fn outputs(&self) -> Option<Cid> {
        self.document.outputs
    }

    /// Where the sealed output of a task lies.
    pub(crate) fn place(&self, index: u32) -> Option<OutputPlace> {
        let (cid, bytes) = (self.document.outputs?, self.document.place(index)?);
        Some(OutputPlace { cid, bytes: Some(bytes) })
    }
}

impl Client {
    /// Fetches the receipts of a batch and checks that they are what the enclave signed and the chain shows.
    ///
    /// # Errors
    /// `NotFound` or `Unavailable` when storage does not give the receipts, [`ClientError::Batch`] when they are others,
    /// [`ClientError::Receipt`] when nobody vouches for the enclave.
    pub async fn batch(
        &self,
        deal: &Arc<Deal>,
        settled: &BatchSettlement,
    ) -> Result<CheckedBatch, ClientError> {
        let nowhere = || unproven(settled, "its event does not say where the receipts lie");
        let cid = settled.receipts.ok_or_else(nowhere)?;
        let bytes = self.parts.store.get_small(&cid, MAX_BATCH_DOCUMENT_BYTES).await?;
        let document = BatchDocument::parse(&bytes).map_err(|error| unproven(settled, error))?;
        let anchors = &self.network.anchors;
        let receipts: Vec<Receipt> = document.receipts().collect();
        let proofs = ReceiptBatch::new(&receipts).map_err(|error| unproven(settled, error))?;
        check(deal, settled, &document, &proofs)?;
        receipt::check_grant(&document.grant, &document.grant_signatures, anchors)?;
        let transaction = self.parts.chain.transaction(settled.transaction).await?;
        let settlement = Settlement {
            transaction: settled.transaction,
            block: settled.block,
            sender: transaction.sender,
            gas_used: transaction.gas_used,
        };
        let batch = CheckedBatch { document, receipts, proofs, deal: Arc::clone(deal), settlement };
        self.check_one(batch)
    }

    /// One receipt stands for the signature over all.
    fn check_one(&self, batch: CheckedBatch) -> Result<CheckedBatch, ClientError> {
        if let Some(document) = batch.receipt(batch.document.first) {
            receipt::check(&document, &self.network.anchors)?;
        }
        Ok(batch)
    }
}

/// Whether a document is the one behind an event of a deal.
fn check(
    deal: &Deal,
    settled: &BatchSettlement,
    document: &BatchDocument,
    proofs: &ReceiptBatch,
) -> Result<(), ClientError> {
    let BatchSettlement { first, root, .. } = *settled;
    let (work, tally) = (deal.work(), settled.tally.clone());
    let statement = Batch { work, dealId: deal.id().get(), first, tally, root };
    if *proofs.statement() != statement {
        return Err(unproven(settled, "its receipts make up another statement than the one on chain"));
    }
    if document.signature != settled.signature {
        return Err(unproven(settled, "its document has another signature than the one on chain"));
    }
    if document.grant.enclave == settled.enclave {
        return Ok(());
    }
    Err(unproven(settled, "its document vouches for another enclave than the one on chain"))
}

fn unproven(settled: &BatchSettlement, problem: impl std::fmt::Display) -> ClientError {
    let last = settled.end().saturating_sub(1);
    ClientError::Batch { first: settled.first, last, problem: problem.to_string() }
}
