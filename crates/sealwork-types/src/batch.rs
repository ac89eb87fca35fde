//! The document behind a settled batch: all receipts under one signature, and where the sealed outputs lie.
//!
//! The chain keeps a root and this document's CID. What is equal in every receipt stands here once, so a thousand receipts
//! take about 150 KiB. The sealed outputs lie one behind the other in one content, in the order of the tasks.

use crate::{
    B256, Bytes, Cid, DealId,
    abi::{Grant, Receipt, Tally, Work},
    bounded::{DocumentError, parse_json},
    order::SigningDomain,
};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Most tasks that one statement covers.
pub const MAX_BATCH_TASKS: u32 = 1_000;
/// Largest batch document that is read.
pub const MAX_BATCH_DOCUMENT_BYTES: usize = 512 * 1024;

const KIND: &str = "batch document";

/// How one task of a batch ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchedTask {
    /// Status code.
    pub status: u16,
    /// Fuel used.
    pub fuel: u64,
    /// SHA-256 of the sealed output; zero when there is none.
    pub output: B256,
    /// Length of the sealed output.
    pub bytes: u64,
}

/// Receipts of tasks that follow each other, under one signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchDocument {
    /// Format version, 1.
    pub version: u16,
    /// Chain and contract that the signatures name.
    pub domain: SigningDomain,
    /// What ran on what.
    pub work: Work,
    /// Deal.
    pub deal: DealId,
    /// Index of the first task.
    pub first: u32,
    /// Key epoch of every task.
    pub key_epoch: u32,
    /// How the tasks ended, in order.
    pub tasks: Vec<BatchedTask>,
    /// The sealed outputs, one behind the other; none when no task has one.
    pub outputs: Option<Cid>,
    /// How many tasks ended how, as the enclave signed it.
    pub tally: Tally,
    /// Root over the receipts, as the enclave signed it.
    pub root: B256,
    /// 65-byte signature over the batch by the enclave key.
    pub signature: Bytes,
    /// CAS statement about the enclave key.
    pub grant: Grant,
    /// Signatures over the grant, ordered by member address.
    pub grant_signatures: Vec<Bytes>,
}

impl BatchDocument {
    /// Version that is written and read.
    pub const VERSION: u16 = 1;

    /// Reads a document of at most [`MAX_BATCH_DOCUMENT_BYTES`].
    ///
    /// # Errors
    /// [`DocumentError`] for size, syntax, unknown fields, another version, or a number of tasks that no batch has.
    pub fn parse(bytes: &[u8]) -> Result<Self, DocumentError> {
        let document: Self = parse_json(KIND, bytes, MAX_BATCH_DOCUMENT_BYTES)?;
        let wrong = |field, problem| Err(DocumentError::Value { kind: KIND, field, problem });
        if document.version != Self::VERSION {
            return wrong(
                "version",
                format!("is {}, this version reads {}", document.version, Self::VERSION),
            );
        }
        let tasks = document.tasks.len();
        if tasks == 0 || tasks > MAX_BATCH_TASKS as usize {
            return wrong("tasks", format!("has {tasks} entries, a batch has 1 to {MAX_BATCH_TASKS}"));
        }
        if document.end().is_none() {
            return wrong("first", format!("is {}, a deal has no tasks that far", document.first));
        }
        Ok(document)
    }

    /// The document's bytes.
    ///
    /// # Panics
    /// Never: numbers, hashes and byte strings always serialize.
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("numbers, hashes and byte strings always serialize")
    }

    /// Index behind the last task.
    fn end(&self) -> Option<u32> {
        self.first.checked_add(u32::try_from(self.tasks.len()).ok()?)
    }

    /// The receipt of every task, in order. A task of a batch has no callback and no state.
    pub fn receipts(&self) -> impl ExactSizeIterator<Item = Receipt> {
        receipts(&self.work, self.deal, self.first, self.key_epoch, &self.tasks)
    }

    /// Where in the outputs a task's sealed output lies; `None` when the batch has no such task, the task no output, or
    /// the lengths do not add up.
    pub fn place(&self, index: u32) -> Option<Range<u64>> {
        let position = usize::try_from(index.checked_sub(self.first)?).ok()?;
        let task = self.tasks.get(position).filter(|task| !task.output.is_zero())?;
        let before = self.tasks.get(..position)?.iter();
        let start = before.map(|task| task.bytes).try_fold(0_u64, u64::checked_add)?;
        Some(start..start.checked_add(task.bytes)?)
    }
}

/// The receipts that a batch's tasks stand for.
pub fn receipts(
    work: &Work,
    deal: DealId,
    first: u32,
    key_epoch: u32,
    tasks: &[BatchedTask],
) -> impl ExactSizeIterator<Item = Receipt> {
    tasks.iter().enumerate().map(move |(position, task)| Receipt {
        work: work.clone(),
        dealId: deal.get(),
        index: first.saturating_add(u32::try_from(position).unwrap_or(u32::MAX)),
        status: task.status,
        fuel: task.fuel,
        keyEpoch: key_epoch,
        output: task.output,
        callbackHash: B256::ZERO,
        stateBefore: B256::ZERO,
        stateAfter: B256::ZERO,
        deltaIndex: 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Address;

    fn document() -> BatchDocument {
        let task = |status, output, bytes| BatchedTask { status, fuel: 7, output, bytes };
        let some = B256::repeat_byte(3);
        BatchDocument {
            version: 1,
            domain: SigningDomain { chain_id: 31_337, market: Address::repeat_byte(1) },
            work: Work { app: some, codeHash: some, policyHash: some, input: some },
            deal: DealId::new(some),
            first: 5,
            key_epoch: 0,
            tasks: vec![task(0, some, 100), task(4, B256::ZERO, 0), task(0, some, 20)],
            outputs: None,
            tally: Tally { paid: 3, poolOnly: 0, refunded: 0, slashed: 0 },
            root: some,
            signature: Bytes::new(),
            grant: Grant { enclave: Address::ZERO, measurement: some, tee: 0, hardwareId: some, expiry: 1 },
            grant_signatures: Vec::new(),
        }
    }

    #[test]
    fn documents_round_trip_and_name_places_and_receipts() {
        let document = document();
        assert_eq!(BatchDocument::parse(&document.to_bytes()).unwrap(), document);
        assert_eq!((document.place(5), document.place(6)), (Some(0..100), None));
        assert_eq!((document.place(7), document.place(8), document.place(4)), (Some(100..120), None, None));
        let indexes: Vec<u32> = document.receipts().map(|receipt| receipt.index).collect();
        assert_eq!(indexes, [5, 6, 7]);
    }

    #[test]
    fn empty_oversized_and_overflowing_batches_are_refused() {
        let parse = |change: fn(&mut BatchDocument)| {
            let mut changed = document();
            change(&mut changed);
            BatchDocument::parse(&changed.to_bytes()).unwrap_err().to_string()
        };
        assert!(parse(|document| document.version = 2).contains("version is 2"));
        assert!(parse(|document| document.tasks.clear()).contains("has 0 entries"));
        assert!(parse(|document| document.first = u32::MAX).contains("no tasks that far"));
        let many = |document: &mut BatchDocument| document.tasks = vec![document.tasks[0]; 1_001];
        assert!(parse(many).contains("1001 entries"));
        let mut long = document();
        long.tasks[0].bytes = u64::MAX;
        assert_eq!(long.place(7), None);
    }
}
